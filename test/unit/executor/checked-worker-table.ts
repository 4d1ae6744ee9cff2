// What the table of workers keeps must be what a look at each worker shows: compared whenever the scheduler uses it.
import { earlierOf } from '../../../src/executor/scheduler/timeouts.js'
import { hasRoom, isReady, nextDeadline, type ReadyWorker } from '../../../src/executor/scheduler/worker.js'
import { WorkerTable } from '../../../src/executor/scheduler/workers.js'
import type { Ms } from '../../../src/model.js'

/** From now on, in all tables. Returns how to end that. */
export function checkWorkerTables(fail: (what: string) => never): () => void {
  const { leastLoaded } = WorkerTable.prototype
  const deadline = Object.getOwnPropertyDescriptor(WorkerTable.prototype, 'nextDeadline')!
  WorkerTable.prototype.leastLoaded = function (isSmall) {
    const kept = leastLoaded.call(this, isSmall)
    let least: ReadyWorker | undefined
    let canBeginMore = false
    let alive = 0
    let starting = 0
    for (const worker of this.all) {
      if (worker.state.is !== 'absent') alive++
      if (worker.state.is === 'starting') starting++
      if (!isReady(worker) || !hasRoom(worker.state, isSmall)) continue
      const { inFlight } = worker.state
      if (inFlight.canBeginMore) canBeginMore = true
      if (least === undefined || inFlight.length < least.state.inFlight.length) least = worker
    }
    if (kept !== least) fail(`worker ${least?.id} has the least load, and the table has ${kept?.id}`)
    if (kept?.state.inFlight.canBeginMore !== canBeginMore && kept !== undefined)
      fail(`another worker than ${kept.id}, which has the least load, could begin an item`)
    if (alive !== this.aliveCount || starting !== this.startingCount)
      fail(
        `${alive} workers have a process, ${starting} start: the table has ${this.aliveCount}, ${this.startingCount}`,
      )
    return kept
  }
  Object.defineProperty(WorkerTable.prototype, 'nextDeadline', {
    configurable: true,
    get(this: WorkerTable) {
      const kept: Ms | undefined = deadline.get!.call(this)
      let next: Ms | undefined
      for (const worker of this.all) next = earlierOf(next, nextDeadline(worker))
      if (kept !== next) fail(`the next deadline is ${next}, and the table has ${kept}`)
      return kept
    },
  })
  return () => {
    WorkerTable.prototype.leastLoaded = leastLoaded
    Object.defineProperty(WorkerTable.prototype, 'nextDeadline', deadline)
  }
}
