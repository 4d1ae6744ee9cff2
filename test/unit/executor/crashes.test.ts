// What becomes of the chunks of a worker that crashed: by its flight record, by what it announced, or without either.
import { describe, expect, test } from 'vitest'
import { warningText } from '../../../src/errors/warning-text.js'
import type { ChunkMessage } from '../../../src/ipc/protocol.js'
import { ago, type FakeWorker, faultOf, numbers, range, setUp, sorted, start } from './fakes.js'

const indexesOf = (chunks: readonly ChunkMessage[]) =>
  chunks.flatMap(({ index, count }) => range(count).map((i) => (index as number) + i))

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

describe('a crash of a worker with a flight record', () => {
  test('keeps recorded outcomes that were not sent', async () => {
    const { call, worker, latest } = oneWorker(4, 4)
    const { id } = worker.chunks[0]!
    worker.setRecord({
      outcomes: [
        { id, offset: 0, value: 'zero' },
        { id, offset: 1, value: 'one' },
      ],
      running: [{ id, offset: 2, since: ago(30) }],
    })
    worker.exit()
    expect(call.indexes()).toEqual([0, 1, 2])
    expect(call.settled[0]!.results).toEqual({ kind: 'values', values: ['zero'] })
    expect(call.failed()).toMatchObject([{ index: 2, failure: { kind: 'crash', signal: 'SIGKILL' } }])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([3])
    latest(0).settleAll()
    await call.done
  })

  test('does not settle twice what was sent and recorded', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    const [chunk] = worker.chunks
    worker.settle(chunk!, { count: 2 })
    worker.setRecord({
      outcomes: range(3).map((offset) => ({ id: chunk!.id, offset, value: offset })),
    })
    worker.exit()
    expect(call.indexes()).toEqual([0, 1, 2])
    await call.done
    expect(latest(0)).toBe(worker)
  })

  test('fails the items between the last known outcome and the item that was running', async () => {
    const { call, worker, latest } = oneWorker(6, 6)
    const { id } = worker.chunks[0]!
    worker.setRecord({ outcomes: [{ id, offset: 0, value: 0 }], running: [{ id, offset: 3, since: ago(1) }] })
    worker.exit()
    expect(call.failed().map(({ index }) => index)).toEqual([1, 2, 3])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([4, 5])
    await runOut(call, () => latest(0))
    expect(sorted(call.indexes())).toEqual(range(6))
  })

  test('fails nothing if the worker had begun nothing', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    worker.setRecord({})
    worker.exit()
    await runOut(call, () => latest(0))
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('fails each of the items that were running', () => {
    const { executor, workers } = setUp({ processes: 1, concurrency: 2 })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    workers[0]!.ready()
    const [first, second] = workers[0]!.chunks
    workers[0]!.setRecord({
      running: [
        { id: first!.id, offset: 1, since: ago(5) },
        { id: second!.id, offset: 0, since: ago(5) },
      ],
      outcomes: [{ id: first!.id, offset: 0, value: 0 }],
    })
    workers[0]!.exit(7, null)
    expect(sorted(call.failed().map(({ index }) => index))).toEqual([1, 2])
  })

  test('is out of memory when V8 wrote so to stderr', () => {
    const { call, worker } = oneWorker(1, 1)
    worker.setRecord({ running: [{ id: worker.chunks[0]!.id, offset: 0, since: ago(5) }] })
    worker.exit(null, 'SIGABRT', ['FATAL ERROR: Reached heap limit: JavaScript heap out of memory'])
    expect(call.failed()).toMatchObject([{ failure: { kind: 'oom', signal: 'SIGABRT' } }])
  })
})

describe('an unrecorded chunk', () => {
  test('runs again with each item recorded, so that only the item that crashes fails', async () => {
    const { call, worker, latest } = oneWorker(5, 5)
    expect(worker.chunks[0]!.recordEachItem).toBe(false)
    worker.setRecord({ unrecorded: [worker.chunks[0]!.id] })
    worker.exit()
    expect(call.failed()).toEqual([])
    latest(0).ready()
    const [again] = latest(0).chunks
    expect(again).toMatchObject({ index: 0, count: 5, recordEachItem: true })
    latest(0).setRecord({
      outcomes: [{ id: again!.id, offset: 0, value: 0 }],
      running: [{ id: again!.id, offset: 1, since: ago(1) }],
    })
    latest(0).exit()
    await runOut(call, () => latest(0))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
    expect(sorted(call.indexes())).toEqual(range(5))
  })

  test('runs again recorded although the chunk in front of it has not settled yet', () => {
    const { worker, latest } = oneWorker(9, 3)
    worker.settleCheap(worker.chunks[0]!)
    const [, first, second] = worker.chunks
    // The first had ended and was not sent; the second was running. Both are in flight and unrecorded.
    worker.setRecord({ unrecorded: [first!.id, second!.id] })
    worker.exit()
    latest(0).ready()
    expect(latest(0).chunks.map(({ recordEachItem }) => recordEachItem)).toEqual([true, true])
  })

  test('fails only the running item if the worker announced its exit and recorded it', () => {
    const { call, worker, latest } = oneWorker(5, 5)
    const [chunk] = worker.chunks
    worker.settle(chunk!, { count: 2 })
    worker.message({ type: 'dying', exitSite: '    at task (job.ts:3:1)' })
    worker.setRecord({ running: [{ id: chunk!.id, offset: 2, since: ago(1) }] })
    worker.exit(3, null)
    expect(call.failed()).toMatchObject([
      { index: 2, failure: { kind: 'crash', exitCode: 3, exitSite: '    at task (job.ts:3:1)' } },
    ])
    latest(0).ready()
    expect(indexesOf(latest(0).chunks)).toEqual([3, 4])
  })

  test('fails with the uncaught error that the worker announced', () => {
    const { call, worker } = oneWorker(1, 1)
    const escaped = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const
    worker.message({ type: 'dying', escaped })
    worker.setRecord({ running: [{ id: worker.chunks[0]!.id, offset: 0, since: ago(1) }] })
    worker.exit(1, null)
    expect(call.failed()).toMatchObject([{ failure: { kind: 'crash', escaped } }])
  })
})

describe('a crash between two items', () => {
  const escaped = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

  test('fails no item and warns of the uncaught error', async () => {
    const warnings: string[] = []
    const { executor, workers, latest } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    const worker = workers[0]!
    worker.ready()
    worker.settle(worker.chunks[0]!)
    worker.message({ type: 'dying', escaped })
    worker.setRecord({})
    worker.exit(1, null)
    expect(warnings).toEqual([
      `worker 0 (pid 1000) exited with code 1 between items; outside any item the job threw: 'x'`,
    ])
    await runOut(call, () => latest(0))
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('gives no warning if an item was running: the failure is enough', () => {
    const warnings: string[] = []
    const { executor, workers } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(4), { chunkSize: 2 })
    workers[0]!.ready()
    workers[0]!.message({ type: 'dying', escaped })
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.exit(1, null)
    expect(call.failed()).toHaveLength(1)
    expect(warnings).toEqual([])
  })
})

describe('a crash of a worker without a flight recorder', () => {
  test('runs the items of the chunk one by one, so that only the item that crashes fails', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    worker.exit()
    expect(call.failed()).toEqual([])
    latest(0).ready()
    latest(0).settle(latest(0).chunks[0]!)
    expect(latest(0).chunks.map(({ index, count }) => [index, count])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    latest(0).exit()
    await runOut(call, () => latest(0))
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash' } }])
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('leaves prefetched chunks as they were', () => {
    const { worker, latest } = oneWorker(6, 2)
    worker.settleCheap(worker.chunks[0]!)
    worker.exit()
    latest(0).ready()
    expect(sorted(latest(0).chunks.map(({ count }) => count))).toEqual([1, 1, 2])
  })
})

describe('a job that writes to the channel', () => {
  test('loses what has begun, with the reason, and nothing else', async () => {
    const { call, worker, latest } = oneWorker(3, 3)
    worker.setRecord({ running: [{ id: worker.chunks[0]!.id, offset: 1, since: ago(5) }] })
    worker.damageChannel()
    expect(worker.kills).toEqual(['SIGKILL'])
    worker.exit()
    expect(call.failed()).toMatchObject([
      { index: 0, failure: { kind: 'crash' } },
      { index: 1, failure: { kind: 'crash', killedFor: 'channel' } },
    ])
    await runOut(call, () => latest(0))
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('fails the pool as a crash does if it happens before the job has loaded', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(3))
    workers[0]!.damageChannel()
    workers[0]!.exit()
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'startup', signal: 'SIGKILL' } })
    expect(workers).toHaveLength(1)
  })
})

describe('a worker that announces its exit', () => {
  test('is given nothing more, and is killed if it stays', () => {
    const { worker, clock } = oneWorker(3, 1)
    const given = worker.chunks.length
    worker.message({ type: 'dying', exitSite: 'at task' })
    worker.settle(worker.chunks[0]!)
    expect(worker.chunks).toHaveLength(given)
    clock.advance(1_999)
    expect(worker.kills).toEqual([])
    clock.advance(1)
    expect(worker.kills).toEqual(['SIGKILL'])
  })
})

describe('the restart limit', () => {
  test('counts crashes, not timeouts', async () => {
    const { executor, workers, latest, clock } = setUp({ processes: 1, maxRestarts: 0 })
    const call = start(executor, numbers(3), { chunkSize: 1, timeoutMs: 100 })
    for (let n = 0; n < 3; n++) {
      latest(0).ready()
      latest(0).setRecord({ running: [{ id: latest(0).chunks[0]!.id, offset: 0, since: ago(200) }] })
      clock.advance(100)
      latest(0).answerExpire()
      latest(0).exit(0, null)
    }
    await call.done
    expect(call.failed().map(({ failure }) => failure.kind)).toEqual(['timeout', 'timeout', 'timeout'])
    expect(workers.length).toBeGreaterThanOrEqual(3)
  })

  test('of 0 ends the run with the first crash, after the running item has failed', async () => {
    const { executor, workers } = setUp({ processes: 2, maxRestarts: 0 })
    const call = start(executor, numbers(10), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.exit(9, null)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'restarts', limit: 0 } })
    expect(call.failed()).toHaveLength(1)
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
  })
})

describe('after a fault', () => {
  test('nothing settles any more', async () => {
    const { executor, workers } = setUp({ processes: 2, maxRestarts: 0 })
    const call = start(executor, numbers(10), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    workers[0]!.exit()
    await faultOf(call.done)
    const settled = call.settled.length
    workers[1]!.settleAll()
    expect(call.settled).toHaveLength(settled)
  })
})
