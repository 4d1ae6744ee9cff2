// Workers that send nothing: whether they are at work is asked, and read from their flight records.
import { describe, expect, test } from 'vitest'
import { ago, numbers, range, setUp, sorted, start } from './fakes.js'

function oneWorker(items = 3, chunkSize = 3) {
  const world = setUp({ processes: 1, heartbeat: true })
  const call = start(world.executor, numbers(items), { chunkSize })
  const worker = world.workers[0]!
  worker.ready()
  const pings = () => worker.sent.filter(({ type }) => type === 'ping').length
  return { ...world, call, worker, pings, id: worker.chunks[0]!.id }
}

describe('a worker that is silent', () => {
  test('and does nothing is killed after 9 s; its items run elsewhere, alone', async () => {
    const { worker, clock, latest, call, pings } = oneWorker()
    worker.setRecord({})
    for (const expected of [1, 2, 3]) {
      expect(worker.kills).toEqual([])
      clock.advance(3_000)
      expect(pings()).toBe(expected)
    }
    expect(worker.kills).toEqual(['SIGKILL'])
    worker.exit()
    latest(0).ready()
    for (let n = 0; n < 3; n++) latest(0).settleAll()
    await call.done
    expect(call.failed()).toEqual([])
  })

  test('loses the item that has ended and was never sent, with the reason', async () => {
    const { worker, clock, latest, call, id } = oneWorker()
    worker.settle(worker.chunks[0]!, { count: 1 })
    worker.setRecord({ running: [{ id, offset: 1, since: ago(1) }] })
    for (let n = 0; n < 3; n++) {
      expect(worker.kills).toEqual([])
      clock.advance(3_000)
      worker.message({ type: 'pong', isRunning: false })
    }
    expect(worker.kills).toEqual(['SIGKILL'])
    worker.exit()
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash', killedFor: 'stuck' } }])
    latest(0).ready()
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(3))
  })

  test('is found although it answers requests for what has not begun, with nothing', () => {
    const { executor, workers, clock } = setUp({ processes: 2, heartbeat: true })
    start(executor, numbers(12), { chunkSize: 3 })
    const [idle, broken] = workers
    for (const worker of workers) worker.ready()
    broken!.setRecord({})
    let answered = 0
    for (let ms = 0; ms < 10_000 && broken!.kills.length === 0; ms += 5) {
      for (const chunk of idle!.chunks) idle!.settle(chunk)
      const requests = broken!.sent.filter(({ type }) => type === 'return').length
      for (; answered < requests; answered++)
        broken!.message({ type: 'returned', ids: [], kept: [], waits: false })
      clock.advance(5)
    }
    expect(answered).toBeGreaterThan(0)
    expect(broken!.kills).toEqual(['SIGKILL'])
  })

  test.each([
    ['computes', () => ({ isAnswering: false, isRecorded: true })],
    ['waits', () => ({ isAnswering: true, isRecorded: false })],
  ])('and %s is left alone, for hours', (_, how) => {
    const { worker, clock, id } = oneWorker()
    const { isAnswering, isRecorded } = how()
    worker.setRecord(isRecorded ? { running: [{ id, offset: 0, since: ago(1) }] } : {})
    for (let n = 0; n < 5_000; n++) {
      clock.advance(3_000)
      if (isAnswering) worker.message({ type: 'pong', isRunning: true })
    }
    expect(worker.kills).toEqual([])
  })
})

test('a worker that may be blocked by what it prints is left alone until its output is read', () => {
  const { executor, worker, clock } = oneWorker()
  worker.setRecord({})
  executor.readOutput(false)
  for (let n = 0; n < 100; n++) clock.advance(3_000)
  expect(worker.kills).toEqual([])
  executor.readOutput(true)
  for (let n = 0; n < 3; n++) clock.advance(3_000)
  expect(worker.kills).toEqual(['SIGKILL'])
})

describe('a worker is not asked', () => {
  test('while it sends results', () => {
    const { worker, clock, pings } = oneWorker(10, 10)
    for (let from = 0; from < 9; from++) {
      clock.advance(2_999)
      worker.settle(worker.chunks[0]!, { from, count: 1 })
    }
    expect(pings()).toBe(0)
  })

  test('while it has nothing to do, and no timer is left', async () => {
    const { worker, clock, pings, call } = oneWorker()
    worker.settleAll()
    await call.done
    expect(clock.hasTimers).toBe(false)
    clock.advance(60_000)
    expect(pings()).toBe(0)
  })

  test('if it is this process', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(3))
    workers[0]!.ready()
    workers[0]!.setRecord({})
    clock.advance(60_000)
    expect(workers[0]!.kills).toEqual([])
  })
})
