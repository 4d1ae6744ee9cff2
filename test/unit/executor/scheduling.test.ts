import { describe, expect, test } from 'vitest'
import { warningText } from '../../../src/errors/warning-text.js'
import { fakeTransport, faultOf, numbers, range, setUp, sorted, start, turn } from './fakes.js'

describe('handing out', () => {
  test('nothing is sent to a worker before it is ready', () => {
    const { executor, workers } = setUp()
    start(executor, numbers(4), { chunkSize: 1 })
    expect(workers.map(({ chunks }) => chunks.length)).toEqual([0, 0])
    workers[0]!.ready()
    expect(workers[0]!.chunks).toHaveLength(1)
  })

  test('every item settles once and the call resolves', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(5), { chunkSize: 2 })
    for (const worker of workers) worker.ready()
    let handled = 0
    for (let more = true; more; ) {
      more = false
      for (const worker of workers)
        for (const chunk of worker.chunks.slice(0, 99).filter(({ id }) => id > handled)) {
          handled = chunk.id
          worker.settle(chunk)
          more = true
        }
    }
    await call.done
    expect(sorted(call.indexes())).toEqual(range(5))
  })

  test('chunks begin with one item and grow with what is measured', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(100_000))
    const [worker] = workers
    worker!.ready()
    const sizes: number[] = []
    for (let n = 0; n < 6; n++) {
      const chunk = worker!.chunks[n]!
      sizes.push(chunk.count)
      worker!.settle(chunk, { busyMs: chunk.count * 0.01 })
    }
    expect(sizes[0]).toBe(1)
    expect(Math.max(...sizes)).toBeGreaterThan(50)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(400)
  })

  test('a long item in front keeps nothing queued behind it', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(10))
    const [worker] = workers
    worker!.ready()
    worker!.settle(worker!.chunks[0]!, { busyMs: 500 })
    expect(worker!.chunks).toHaveLength(2)
  })

  test('near the end of a known input chunks are small enough to share', () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(40))
    workers[0]!.ready()
    workers[1]!.ready()
    for (let n = 0; n < 30; n++)
      for (const worker of workers) {
        const chunk = worker.chunks[n]
        if (chunk !== undefined) worker.settle(chunk, { busyMs: 0.0001 })
      }
    expect(sorted(call.indexes())).toEqual(range(40))
    expect(workers[0]!.chunks.at(-1)!.count).toBeLessThanOrEqual(2)
  })

  test('calls take turns, so a long one does not starve a short one', () => {
    const { executor, workers } = setUp({ processes: 1 })
    start(executor, numbers(1000), { chunkSize: 1 })
    start(executor, numbers(1000), { chunkSize: 1 })
    const [worker] = workers
    worker!.ready()
    for (let n = 0; n < 10; n++) worker!.settle(worker!.chunks[n]!, { busyMs: 10 })
    const indexes = worker!.chunks.slice(0, 10).map(({ index }) => index)
    expect(indexes).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
  })

  test('an empty input still waits until the job has loaded', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(0))
    let over = false
    void call.done.then(() => {
      over = true
    })
    await turn()
    expect(over).toBe(false)
    workers[0]!.ready()
    await call.done
  })
})

describe('a worker that dies', () => {
  test('loses the item it was running; finished ones keep their results and later ones run elsewhere', async () => {
    const { executor, workers, latest } = setUp({ processes: 1 })
    const call = start(executor, numbers(4), { chunkSize: 4 })
    workers[0]!.ready()
    const [chunk] = workers[0]!.chunks
    workers[0]!.settle(chunk!, { from: 0, count: 1 })
    workers[0]!.recorded = { outcomes: [], running: [{ id: chunk!.id, offset: 1, since: 0 }], unrecorded: [] }
    workers[0]!.die(5, null)
    expect(call.failed()).toMatchObject([{ index: 1, failure: { kind: 'crash', exitCode: 5, signal: null } }])
    latest(0).ready()
    expect(latest(0).chunks[0]).toMatchObject({ index: 2, count: 2 })
    latest(0).settleAll()
    await call.done
    expect(sorted(call.indexes())).toEqual(range(4))
  })

  test('while idle is replaced without a word', async () => {
    const { executor, workers, latest } = setUp({ processes: 1 })
    const source = numbers(2)
    const call = start(executor, source, { chunkSize: 1 })
    workers[0]!.ready()
    workers[0]!.settle(workers[0]!.chunks[0]!, { busyMs: 100 })
    workers[0]!.settle(workers[0]!.chunks[1]!, { busyMs: 100 })
    await call.done
    workers[0]!.die()
    const next = start(executor, numbers(1))
    latest(0).ready()
    latest(0).settleAll()
    await next.done
    expect(next.failed()).toEqual([])
  })

  test('over and over spends the restart budget, and the run ends', async () => {
    const { executor, workers, latest } = setUp({ processes: 1, maxRestarts: 3 })
    const call = start(executor, numbers(100), { chunkSize: 1 })
    for (let n = 0; n < 4; n++) {
      latest(0).ready()
      latest(0).die()
    }
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'restarts', limit: 3 } })
    expect(workers).toHaveLength(4)
    expect(call.failed()).toHaveLength(4)
  })

  test('before it is ready breaks the run at once and is not replaced', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3))
    workers[0]!.die(1, null)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'startup', phase: 'load', exitCode: 1 } })
    expect(workers).toHaveLength(2)
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
  })

  test('inside its initializer is the initializer’s fault', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3))
    workers[0]!.say({ type: 'initializing' })
    workers[0]!.die(4, null)
    expect(await faultOf(call.done)).toMatchObject({
      fault: { kind: 'startup', phase: 'initializer', exitCode: 4 },
    })
  })
})

describe('an initializer', () => {
  const error = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

  test('that fails ends every call once and never respawns: the loop of Python’s Pool (gh-87472)', async () => {
    const { executor, workers } = setUp()
    const calls = [start(executor, numbers(3)), start(executor, numbers(3))]
    for (const worker of [...workers]) worker.say({ type: 'init-failed', stage: 'initializer', error })
    for (const { done } of calls)
      expect(await faultOf(done)).toMatchObject({ fault: { kind: 'initializer', error } })
    for (const worker of workers) worker.die()
    expect(workers).toHaveLength(2)
    expect(await faultOf(start(executor, numbers(1)).done)).toMatchObject({ fault: { kind: 'initializer' } })
    expect(workers).toHaveLength(2)
  })

  test('that is not ready in time ends the run; the time begins when the job is handed over', async () => {
    const { executor, workers, clock } = setUp({ initTimeoutMs: 1_000 })
    const call = start(executor, numbers(3))
    clock.advance(5_000)
    await turn()
    clock.advance(999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(await faultOf(call.done)).toMatchObject({ fault: { kind: 'init-timeout', afterMs: 1_000 } })
  })
})

describe('a task', () => {
  test('that the job does not export ends the call and names what there is', async () => {
    const { executor, workers } = setUp()
    const call = start(executor, numbers(3), { spec: { name: 'squar', calling: 'item', reply: 'values' } })
    workers[0]!.ready({ square: 'function' })
    expect(await faultOf(call.done)).toEqual({ type: 'no-task', exports: { square: 'function' } })
  })

  test('whose argument cannot be sent fails alone; its neighbours run', async () => {
    const encode = (message: { type: string }) => {
      const values = JSON.stringify(message, (_, value) => (typeof value === 'function' ? '()=>' : value))
      if (message.type === 'run' && values.includes('()=>')) throw new Error('could not be cloned')
    }
    const { executor, workers } = setUp({ processes: 1 }, fakeTransport({ encode }))
    const items = [0, { f: () => 1 }, 2]
    let given = false
    const source = {
      next: () => {
        if (given) return undefined
        given = true
        return { seq: 0, count: 3, payload: { kind: 'values', values: items } as const }
      },
      close() {},
    }
    const call = start(executor, source)
    workers[0]!.ready()
    for (let n = 0; n < 2; n++) workers[0]!.settle(workers[0]!.chunks[n]!, { busyMs: 1 })
    await call.done
    expect(call.failed()).toMatchObject([
      { index: 1, failure: { kind: 'encoding', side: 'argument', path: 'f' } },
    ])
    expect(sorted(call.indexes())).toEqual([0, 1, 2])
  })
})

describe('ending', () => {
  test('an aborted call cancels what runs, and what does not end by itself is killed and replaced', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(9), { chunkSize: 1 })
    workers[0]!.ready()
    const other = start(executor, numbers(1), { chunkSize: 1 })
    call.controller.abort()
    expect(workers[0]!.sent.at(-1)).toMatchObject({ type: 'cancel' })
    clock.advance(1_999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    workers[0]!.die()
    await call.done
    expect(workers).toHaveLength(2)
    workers[1]!.ready()
    workers[1]!.settleAll()
    await other.done
    expect(call.failed()).toEqual([])
  })

  test('an aborted call is over as soon as the worker says so', async () => {
    const { executor, workers } = setUp({ processes: 1 })
    const call = start(executor, numbers(9), { chunkSize: 1 })
    workers[0]!.ready()
    call.controller.abort()
    workers[0]!.say({ type: 'cancelled', ids: workers[0]!.chunks.map(({ id }) => id) })
    await call.done
    expect(workers[0]!.kills).toEqual([])
  })

  test('close lets workers finish in good order; one that never ran anything is not waited for', async () => {
    const { executor, workers } = setUp({ processes: 2 })
    const call = start(executor, numbers(1))
    workers[0]!.ready()
    workers[0]!.settleAll()
    await call.done
    const closed = executor.close()
    expect(workers[0]!.sent.at(-1)).toEqual({ type: 'stop' })
    expect(workers[1]!.kills).toEqual(['SIGKILL'])
    for (const worker of workers) worker.die(0, null)
    await closed
    expect(workers).toHaveLength(2)
  })

  test('a finalizer that does not end is killed, with a warning', async () => {
    const warnings: string[] = []
    const { executor, workers, clock } = setUp({
      processes: 1,
      emit: (event) => event.type === 'warning' && warnings.push(warningText(event.warning)),
    })
    const call = start(executor, numbers(0))
    workers[0]!.ready()
    await call.done
    const closed = executor.close()
    clock.advance(2_000)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
    expect(warnings).toEqual(['worker 0 (pid 1000) did not end in good order within 2000 ms and was killed'])
    workers[0]!.die()
    await closed
  })

  test('terminate climbs from a message to SIGTERM to SIGKILL', async () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    const call = start(executor, numbers(1))
    workers[0]!.ready()
    const terminated = executor.terminate()
    expect(await faultOf(call.done)).toEqual({ type: 'terminated' })
    expect(workers[0]!.sent.at(-1)).toEqual({ type: 'terminate' })
    clock.advance(100)
    expect(workers[0]!.kills).toEqual(['SIGTERM'])
    clock.advance(1_900)
    expect(workers[0]!.kills).toEqual(['SIGTERM', 'SIGKILL'])
    workers[0]!.die()
    await terminated
  })

  test('a worker that answers terminate is given its time', () => {
    const { executor, workers, clock } = setUp({ processes: 1 })
    start(executor, numbers(1))
    workers[0]!.ready()
    void executor.terminate()
    workers[0]!.say({ type: 'terminating' })
    clock.advance(1_999)
    expect(workers[0]!.kills).toEqual([])
    clock.advance(1)
    expect(workers[0]!.kills).toEqual(['SIGKILL'])
  })
})
