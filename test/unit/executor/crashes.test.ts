// What a death means for what the worker held: by what it had written down, by its last words, or by nothing at all.
import { describe, expect, test } from 'vitest'
import { warningText } from '../../../src/errors/warning-text.js'
import type { ChunkMessage } from '../../../src/ipc/protocol.js'
import { ago, type FakeWorker, faultOf, numbers, range, setUp, sorted, start } from './fakes.js'

const indexesOf = (chunks: readonly ChunkMessage[]) =>
  chunks.flatMap(({ index, count }) => range(count).map((place) => (index as number) + place))

function oneWorker(items: number, chunkSize: number) {
  const world = setUp({ processes: 1 })
  const call = start(world.executor, numbers(items), { chunkSize })
  const worker = world.workers[0]!
  worker.ready()
  return { ...world, call, worker }
}

/** Everything that is left runs to its end. */
async function runOut(call: { done: Promise<void> }, latest: () => FakeWorker) {
  for (let n = 0; n < 100; n++) {
    const worker = latest()
    worker.ready()
    const before = worker.chunks.length
    worker.settleAll()
    if (worker.chunks.length === before) break
  }
  await call.done
}

describe('a worker that has written down what it did', () => {
  test('keeps the outcomes that it could not send any more', async () => {
    const { call, worker, latest } = oneWorker(4, 4)
    const { id } = worker.chunks[0]!
    worker.records({
      outcomes: [
        { id, offset: 0, value: 'zero' },
        { id, offset: 1, value: 'one' },
      ],
      running: [{ id, offset: 2, since: ago(30) }],
    })
    worker.die()
    expect(call.indexes()).toEqual([0, 1, 2])
    expect(call.settled[0]!.results).toEqual({ kind: 'values', values: ['zero'] })
    expect(call.failed()).toMatchObject([{ index: 2, failure: { kind: 'crash', signal: 'SIGKILL' } }])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([3])
    latest(0).settleAll()
    await call.done
  })

  test('does not settle twice what it had sent as well', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    const [chunk] = worker.chunks
    worker.settle(chunk!, { count: 2 })
    worker.records({
      outcomes: range(3).map((offset) => ({ id: chunk!.id, offset, value: offset })),
    })
    worker.die()
    expect(call.indexes()).toEqual([0, 1, 2])
    await call.done
    expect(latest(0)).toBe(worker)
  })

  test('fails what lies between the last outcome that is known and the item that ran', async () => {
    const { call, worker, latest } = oneWorker(6, 6)
    const { id } = worker.chunks[0]!
    worker.records({ outcomes: [{ id, offset: 0, value: 0 }], running: [{ id, offset: 3, since: ago(1) }] })
    worker.die()
    expect(call.failed().map(({ index }) => index)).toEqual([1, 2, 3])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([4, 5])
    await runOut(call, () => latest(0))
    expect(sorted(call.indexes())).toEqual(range(6))
  })

  test('and had begun nothing loses nothing', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    worker.records({})
    worker.die()
    await runOut(call, () => latest(0))
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('loses each of the items that it ran at once', () => {
    const { executor, workers } = setUp({ processes: 1, concurrency: 2 })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    workers[0]!.ready()
    const [first, second] = workers[0]!.chunks
    workers[0]!.records({
      running: [
        { id: first!.id, offset: 1, since: ago(5) },
        { id: second!.id, offset: 0, since: ago(5) },
      ],
      outcomes: [{ id: first!.id, offset: 0, value: 0 }],
    })
    workers[0]!.die(7, null)
    expect(sorted(call.failed().map(({ index }) => index))).toEqual([1, 2])
  })

  test('is told as out of memory when V8 said so', () => {
    const { call, worker } = oneWorker(1, 1)
    worker.records({ running: [{ id: worker.chunks[0]!.id, offset: 0, since: ago(5) }] })
    worker.die(null, 'SIGABRT', ['FATAL ERROR: Reached heap limit: JavaScript heap out of memory'])
    expect(call.failed()).toMatchObject([{ failure: { kind: 'oom', signal: 'SIGABRT' } }])
  })
})

describe('a chunk too cheap to be written down', () => {
  test('runs again, exactly this time, and then only the culprit fails', async () => {
    const { call, worker, latest } = oneWorker(5, 5)
    expect(worker.chunks[0]!.recordEachItem).toBe(false)
    worker.records({ unrecorded: [worker.chunks[0]!.id] })
    worker.die()
    expect(call.failed()).toEqual([])
    latest(0).ready()
    const [again] = latest(0).chunks
    expect(again).toMatchObject({ index: 0, count: 5, recordEachItem: true })
    latest(0).records({
      outcomes: [{ id: again!.id, offset: 0, value: 0 }],
      running: [{ id: again!.id, offset: 1, since: ago(1) }],
    })
    latest(0).die()
    await runOut(call, () => latest(0))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
    expect(sorted(call.indexes())).toEqual(range(5))
  })

  test('runs again exactly also where the parent takes the chunk before it for unfinished', () => {
    const { worker, latest } = oneWorker(9, 3)
    worker.settle(worker.chunks[0]!, { busyMs: 0.01 })
    const [, first, second] = worker.chunks
    // The first had ended, unsent; the second was running. Both are at hand, and both are blind.
    worker.records({ unrecorded: [first!.id, second!.id] })
    worker.die()
    latest(0).ready()
    expect(latest(0).chunks.map(({ recordEachItem }) => recordEachItem)).toEqual([true, true])
  })

  test('is exact when its worker could say goodbye: it had written down where it was', () => {
    const { call, worker, latest } = oneWorker(5, 5)
    const [chunk] = worker.chunks
    worker.settle(chunk!, { count: 2 })
    worker.say({ type: 'dying', exitSite: '    at task (job.ts:3:1)' })
    worker.records({ running: [{ id: chunk!.id, offset: 2, since: ago(1) }] })
    worker.die(3, null)
    expect(call.failed()).toMatchObject([
      { index: 2, failure: { kind: 'crash', exitCode: 3, exitSite: '    at task (job.ts:3:1)' } },
    ])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([3, 4])
  })

  test('is told with the exception that escaped', () => {
    const { call, worker } = oneWorker(1, 1)
    const escaped = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const
    worker.say({ type: 'dying', escaped })
    worker.records({ running: [{ id: worker.chunks[0]!.id, offset: 0, since: ago(1) }] })
    worker.die(1, null)
    expect(call.failed()).toMatchObject([{ failure: { kind: 'crash', escaped } }])
  })
})

describe('an end between two items', () => {
  const escaped = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

  test('blames none of those that wait, and what escaped is told', async () => {
    const warnings: string[] = []
    const { executor, workers, latest } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    const worker = workers[0]!
    worker.ready()
    worker.settle(worker.chunks[0]!)
    worker.say({ type: 'dying', escaped })
    worker.records({})
    worker.die(1, null)
    expect(warnings).toEqual([
      `worker 0 (pid 1000) exited with code 1 between items; outside any item the job threw: 'x'`,
    ])
    await runOut(call, () => latest(0))
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('is told by the failure alone where an item was running', () => {
    const warnings: string[] = []
    const { executor, workers } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    workers[0]!.ready()
    workers[0]!.say({ type: 'dying', escaped })
    workers[0]!.records({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.die(1, null)
    expect(call.failed()).toHaveLength(1)
    expect(warnings).toEqual([])
  })
})

describe('a worker that cannot write down anything', () => {
  test('and dies in a chunk has its items run one by one, and then only the culprit fails', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    worker.die()
    expect(call.failed()).toEqual([])
    latest(0).ready()
    latest(0).settle(latest(0).chunks[0]!)
    expect(latest(0).chunks.map(({ index, count }) => [index, count])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    latest(0).die()
    await runOut(call, () => latest(0))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('leaves chunks that it cannot have begun as they were', () => {
    const { worker, latest } = oneWorker(6, 2)
    worker.settle(worker.chunks[0]!, { busyMs: 0.01 })
    worker.die()
    latest(0).ready()
    expect(sorted(latest(0).chunks.map(({ count }) => count))).toEqual([1, 1, 2])
  })
})

describe('the budget of restarts', () => {
  test('is spent by crashes alone, not by timeouts, recycling or the memory cap', async () => {
    const { executor, workers, latest, clock } = setUp({ processes: 1, maxRestarts: 0 })
    const call = start(executor, numbers(3), { chunkSize: 1, timeoutMs: 100 })
    for (let n = 0; n < 3; n++) {
      latest(0).ready()
      latest(0).records({ running: [{ id: latest(0).chunks[0]!.id, offset: 0, since: ago(200) }] })
      clock.advance(100)
      latest(0).die(0, null)
    }
    await call.done
    expect(call.failed().map(({ failure }) => failure.kind)).toEqual(['timeout', 'timeout', 'timeout'])
    expect(workers.length).toBeGreaterThanOrEqual(3)
  })

  test('of none lets the first crash end the run; what it lost has settled by then', async () => {
    const { executor, workers } = setUp({ processes: 2, maxRestarts: 0 })
    const call = start(executor, numbers(10), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    workers[0]!.records({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.die(9, null)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'restarts', limit: 0 } })
    expect(call.failed()).toHaveLength(1)
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
  })
})

describe('late news', () => {
  test('of a run that has broken settles nothing any more', async () => {
    const { executor, workers } = setUp({ processes: 2, maxRestarts: 0 })
    const call = start(executor, numbers(10), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    workers[0]!.die()
    await faultOf(call.done)
    const settled = call.settled.length
    workers[1]!.settleAll()
    expect(call.settled).toHaveLength(settled)
  })
})
