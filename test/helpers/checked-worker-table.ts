// What the table of workers keeps must be what a look at each worker shows: compared whenever the scheduler uses it.
import { hasRoom, isReady, nextDeadline, type Worker } from '../../src/executor/scheduler/worker.js'
import { WorkerTable } from '../../src/executor/scheduler/workers.js'

/** From now on, in all tables. Returns how to end that. */
export function checkWorkerTables(fail: (what: string) => never): () => void {
  const { leastLoaded } = WorkerTable.prototype
  const deadline = Object.getOwnPropertyDescriptor(WorkerTable.prototype, 'nextDeadline')!
  const compare = (what: string, kept: unknown, seen: unknown) => {
    if (kept !== seen) fail(`${what} is ${seen}, and the table has ${kept}`)
  }
  WorkerTable.prototype.leastLoaded = function (isSmall) {
    const worker = leastLoaded.call(this, isSmall)
    compare('the least loaded worker', worker?.id, leastLoadedOf(this.all, isSmall)?.id)
    compare(
      'the number of processes',
      this.aliveCount,
      countOf(this.all, (is) => is !== 'absent'),
    )
    compare(
      'the number of starting workers',
      this.startingCount,
      countOf(this.all, (is) => is === 'starting'),
    )
    const idle = this.all.some((one) => isReady(one) && hasRoom(one.state, false) && canBeginMore(one))
    if (!isSmall) compare('that a worker could begin an item', canBeginMore(worker), idle)
    return worker
  }
  Object.defineProperty(WorkerTable.prototype, 'nextDeadline', {
    configurable: true,
    get(this: WorkerTable) {
      const next: number | undefined = deadline.get!.call(this)
      const all = this.all.flatMap((worker) => nextDeadline(worker) ?? [])
      compare('the next deadline', next, all.length === 0 ? undefined : Math.min(...all))
      return next
    },
  })
  return () => {
    WorkerTable.prototype.leastLoaded = leastLoaded
    Object.defineProperty(WorkerTable.prototype, 'nextDeadline', deadline)
  }
}

export function leastLoadedOf(workers: readonly Worker[], isSmall: boolean): Worker | undefined {
  let best: { readonly worker: Worker; readonly chunks: number } | undefined
  for (const worker of workers) {
    if (!isReady(worker) || !hasRoom(worker.state, isSmall)) continue
    const chunks = worker.state.inFlight.length
    if (best === undefined || chunks < best.chunks) best = { worker, chunks }
  }
  return best?.worker
}

function canBeginMore(worker: Worker | undefined): boolean {
  return worker !== undefined && isReady(worker) && worker.state.inFlight.canBeginMore
}

function countOf(workers: readonly Worker[], counts: (is: Worker['state']['is']) => boolean): number {
  return workers.filter(({ state }) => counts(state.is)).length
}
