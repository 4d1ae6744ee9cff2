// Workers that are replaced: after a number of items, or above an amount of memory.
import { describe, expect, test } from 'vitest'
import { ago, numbers, range, setUp, sorted, start } from './fakes.js'

const items = (chunks: readonly { count: number }[]) => chunks.reduce((sum, { count }) => sum + count, 0)

describe('maxTasksPerChild', () => {
  test('replaces a worker after exactly that many items, even if chunks are larger', async () => {
    const { executor, workers, latest } = setUp({ processes: 1, maxTasksPerChild: 3 })
    const call = start(executor, numbers(10), { chunkSize: 4 })
    for (let n = 0; n < 4; n++) {
      const worker = latest(0)
      worker.ready()
      worker.settleAll()
      if (n < 3) {
        expect(worker.sent.at(-1)).toEqual({ type: 'stop' })
        expect(items(worker.chunks)).toBe(3)
        worker.exit(0, null)
      }
    }
    await call.done
    expect(items(latest(0).chunks)).toBe(1)
    expect(workers.map(({ id }) => id)).toEqual([0, 0, 0, 0])
    expect(sorted(call.indexes())).toEqual(range(10))
  })

  test('lets the others continue meanwhile, and keeps the number of workers', () => {
    const { executor, workers, latest } = setUp({ processes: 2, maxTasksPerChild: 2 })
    start(executor, numbers(100), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    for (let n = 0; n < 2; n++) workers[0]!.settleExpensive(workers[0]!.chunks[n]!)
    expect(workers[0]!.sent.at(-1)).toEqual({ type: 'stop' })
    expect(workers[1]!.chunks.length).toBeGreaterThan(0)
    workers[0]!.exit(0, null)
    latest(0).ready()
    expect(latest(0)).not.toBe(workers[0])
    expect(latest(0).chunks.length).toBeGreaterThan(0)
  })

  test('lets others start while a worker that will be replaced still runs an item', () => {
    const { executor, workers } = setUp({ processes: 2, concurrency: 2, maxTasksPerChild: 2 })
    start(executor, numbers(100), { chunkSize: 1 })
    for (const worker of workers) worker.ready()
    // It has been given its two items, and one of them takes long.
    workers[0]!.settle(workers[0]!.chunks[0]!)
    workers[1]!.exit()
    expect(workers).toHaveLength(3)
    expect(workers[2]!.id).toBe(1)
  })

  test('starts no worker only to learn that nothing is left', async () => {
    const { executor, workers } = setUp({ processes: 1, maxTasksPerChild: 1 })
    const call = start(executor, numbers(1), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settleAll()
    await call.done
    expect(workers).toHaveLength(1)
  })

  test('ends a call with nothing to do although every worker has exited', async () => {
    const { executor, workers } = setUp({ processes: 1, maxTasksPerChild: 1 })
    const first = start(executor, numbers(1), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settleAll()
    await first.done
    workers[0]!.exit(0, null)
    await start(executor, numbers(0)).done
  })

  test('lets close wait for a worker that is being replaced, and starts no other', async () => {
    const { executor, workers } = setUp({ processes: 1, maxTasksPerChild: 1 })
    const call = start(executor, numbers(1), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settleAll()
    await call.done
    const closed = executor.close()
    expect(workers[0]!.sent.filter(({ type }) => type === 'stop')).toHaveLength(1)
    workers[0]!.exit(0, null)
    await closed
    expect(workers).toHaveLength(1)
  })
})

describe('maxMemoryBytes', () => {
  const settings = { processes: 1, maxMemoryBytes: 1_000 }

  test('has a worker return what it has not begun, then replaces it between items', async () => {
    const { executor, workers, latest } = setUp(settings)
    const call = start(executor, numbers(4), { chunkSize: 2 })
    const [worker] = workers
    worker!.ready()
    const [chunk] = worker!.chunks
    const values = [0]
    const range0 = {
      id: chunk!.id,
      from: 0,
      count: 1,
      results: { kind: 'values', values },
      failures: [],
      busyMs: 1,
    }
    worker!.message({ type: 'settled', ranges: [range0], rss: 2_000 })
    expect(worker!.sent.at(-1)).toEqual({ type: 'return' })
    worker!.settle(chunk!, { from: 1, count: 1 })
    const ids = worker!.chunks.slice(1).map(({ id }) => id)
    worker!.message({ type: 'returned', ids, kept: ids.map(() => 0), waits: false })
    expect(worker!.sent.at(-1)).toEqual({ type: 'stop' })
    worker!.exit(0, null)
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(call.failed()).toEqual([])
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('leaves a worker below it alone', () => {
    const { executor, workers } = setUp(settings)
    start(executor, numbers(4), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.message({ type: 'settled', ranges: [], rss: 1_000 })
    expect(workers[0]!.sent.map(({ type }) => type)).not.toContain('return')
  })

  test('does not count the replacement as a crash', async () => {
    const { executor, workers, latest } = setUp({ ...settings, maxRestarts: 0 })
    const call = start(executor, numbers(2), { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.message({ type: 'settled', ranges: [], rss: 2_000 })
    workers[0]!.setRecord({ running: [{ id: workers[0]!.chunks[0]!.id, offset: 0, since: ago(1) }] })
    workers[0]!.settleAll()
    workers[0]!.exit(0, null)
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(call.failed()).toEqual([])
  })
})
