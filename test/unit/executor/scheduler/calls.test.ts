import { describe, expect, it } from 'vitest'
import { CallTable, type CallTableOptions } from '../../../../src/executor/scheduler/calls.js'
import type { CallOptions, Command } from '../../../../src/executor/scheduler/messages.js'
import { chunkOf, EXPORTS, FAILURE, lines, resultsOf, TASK } from './data.js'

const WORKER = { id: 0, pid: 1000 }
const ALL = Number.POSITIVE_INFINITY

function setUp({
  exports = EXPORTS,
  ...options
}: Partial<CallTableOptions> & { exports?: typeof EXPORTS } = {}) {
  let commands: Command[] = []
  const calls = new CallTable({ processes: 1, concurrency: 1, random: () => 0.5, ...options }, (command) =>
    commands.push(command),
  )
  calls.jobLoaded(exports)
  return {
    calls,
    open: (id: number, call: Partial<CallOptions> = {}) => calls.open(id, { task: TASK, ...call }),
    /** Commands since the last time. */
    sent() {
      const sent = lines(commands)
      commands = []
      return sent
    },
    /** The next chunk of the call whose turn it is. */
    takeNext(room = ALL) {
      const call = calls.turns.next(false, true, 0)
      const pending = call && calls.take(call, room, 0)
      return call && pending && { call, pending }
    },
  }
}

/** A call with one chunk of five items, which is in flight. */
function inFlight(options: Partial<CallOptions> = {}) {
  const world = setUp()
  world.open(1, options)
  world.calls.supply(1, chunkOf(0, 5), undefined)
  return { ...world, chunk: world.takeNext()! }
}

describe('the turns', () => {
  it('go round, one chunk each', () => {
    const { calls, open, takeNext } = setUp()
    for (const id of [1, 2]) {
      open(id)
      for (const seq of [0, 1]) calls.supply(id, chunkOf(seq, 1), undefined)
    }
    const taken = Array.from({ length: 4 }, () => takeNext()!)
    expect(taken.map(({ call, pending }) => [call.id, pending.chunk.seq])).toEqual([
      [1, 0],
      [2, 0],
      [1, 1],
      [2, 1],
    ])
  })

  it('leave out a call while its source has not answered', () => {
    const { calls, open, sent } = setUp()
    open(1)
    open(2)
    calls.pull(calls.turns.next(false, true, 0)!)
    expect(sent()).toEqual(['pull 1'])
    expect(calls.turns.next(false, true, 0)?.id).toBe(2)
    expect(calls.turns.next(false, true, 0)?.id).toBe(2)
    calls.supply(1, chunkOf(0, 1), undefined)
    expect([calls.turns.next(false, true, 0)?.id, calls.turns.next(false, true, 0)?.id].sort()).toEqual([
      1, 2,
    ])
  })

  it('leave out a call whose source has ended', () => {
    const { calls, chunk } = inFlight()
    calls.supply(1, undefined, undefined)
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
    calls.requeue(chunk, 2, 5)
    expect(calls.turns.next(false, true, 0)?.id).toBe(1)
  })
})

describe('take', () => {
  it('cuts a chunk to the room that is left; the rest is next', () => {
    const { calls, open, takeNext } = setUp()
    open(1)
    calls.supply(1, chunkOf(0, 5), undefined)
    calls.supply(1, chunkOf(5, 5), undefined)
    const taken = [takeNext(2), takeNext(), takeNext()]
    expect(taken.map((part) => [part?.pending.chunk.seq, part?.pending.chunk.count])).toEqual([
      [0, 2],
      [2, 3],
      [5, 5],
    ])
  })
})

describe('pull', () => {
  it('asks for the number of items that the workers can use', () => {
    const commands: Command[] = []
    const calls = new CallTable({ processes: 4, concurrency: 2 }, (command) => commands.push(command))
    calls.open(1, { task: TASK, chunkSize: 7 })
    calls.pull(calls.turns.next(false, true, 0)!)
    expect(commands).toMatchObject([{ type: 'pull', call: 1, want: { items: 7 } }])
  })

  it('asks a source that has nothing left for its end without waiting for a worker', () => {
    const { calls, open, sent } = setUp()
    open(1, { remaining: 2 })
    calls.supply(1, chunkOf(0, 2), 0)
    expect(sent()).toEqual(['pull 1'])
    open(2, { remaining: 0 })
    expect(sent()).toEqual(['pull 2'])
  })
})

describe('demand', () => {
  it('counts ready chunks and what the sources have left', () => {
    const { calls, open } = setUp()
    open(1, { remaining: 5 })
    calls.supply(1, chunkOf(0, 2), 3)
    expect(calls.demand(100)).toBe(4)
    calls.supply(1, undefined, 0)
    expect(calls.demand(100)).toBe(1)
  })

  it('is unlimited where a source does not know', () => {
    const { calls, open } = setUp()
    open(1)
    expect(calls.demand(100)).toBe(ALL)
  })

  it('does not look at further calls once there is enough', () => {
    const { calls, open } = setUp()
    open(1, { remaining: 3 })
    open(2)
    expect(calls.demand(3)).toBe(3)
  })
})

describe('a call ends', () => {
  it('when its source has ended and nothing is ready, delayed or in flight', () => {
    const { calls, chunk, sent } = inFlight()
    calls.supply(1, undefined, undefined)
    expect(sent()).toEqual([])
    calls.settle(WORKER, chunk, resultsOf(1, 0, 5), 0)
    calls.release(chunk.call)
    expect(sent()).toEqual(['settle 1: 5 from 0', 'end 1: done'])
    expect(calls.size).toBe(0)
  })

  it('only when the job has loaded, even if there was nothing to do', () => {
    const commands: Command[] = []
    const calls = new CallTable({ processes: 1, concurrency: 1 }, (command) => commands.push(command))
    calls.open(1, { task: TASK })
    calls.supply(1, undefined, undefined)
    expect(commands).toEqual([])
    calls.jobLoaded(EXPORTS)
    expect(lines(commands)).toEqual(['end 1: done'])
  })

  it('when the job does not export its task', () => {
    const commands: Command[] = []
    const calls = new CallTable({ processes: 1, concurrency: 1 }, (command) => commands.push(command))
    calls.open(1, { task: TASK })
    const exports = { square: 'function', default: 'other' } as const
    calls.jobLoaded(exports)
    calls.open(2, { task: TASK })
    expect(commands).toEqual([
      { type: 'end', call: 1, end: { type: 'no-task', exports } },
      { type: 'end', call: 2, end: { type: 'no-task', exports } },
    ])
  })

  it('once, in the order of its chunks, when several are released together', () => {
    const { calls, open, sent, takeNext } = setUp()
    for (const id of [1, 2]) open(id)
    for (const id of [1, 2, 1]) calls.supply(id, chunkOf(0, 1), undefined)
    const chunks = Array.from({ length: 3 }, () => takeNext()!)
    for (const id of [1, 2]) calls.supply(id, undefined, undefined)
    calls.releaseAll(chunks)
    expect(sent()).toEqual(['end 1: done', 'end 2: done'])
  })

  it('with all others when the pool fails', () => {
    const { calls, open, sent } = setUp()
    open(1)
    open(2)
    calls.endAll(() => ({ type: 'terminated' }))
    expect(sent()).toEqual(['end 1: terminated', 'end 2: terminated'])
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
  })
})

describe('an aborted call', () => {
  it('ends when nothing of it is in flight any more, and nothing of it settles', () => {
    const { calls, chunk, sent } = inFlight()
    calls.supply(1, chunkOf(5, 5), undefined)
    expect(calls.abort(1)).toBe(chunk.call)
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
    calls.settle(WORKER, chunk, resultsOf(1, 0, 5), 0)
    expect(sent()).toEqual(['cancelled 1: 5 from 0, attempt 1'])
    calls.release(chunk.call)
    expect(sent()).toEqual(['end 1: aborted'])
  })

  it('ends immediately when nothing of it is in flight', () => {
    const { calls, open, sent } = setUp()
    open(1)
    calls.abort(1)
    expect(sent()).toEqual(['end 1: aborted'])
    expect(calls.abort(1)).toBeUndefined()
  })

  it('takes nothing that its source supplies later', () => {
    const { calls, chunk } = inFlight()
    calls.abort(1)
    calls.supply(1, chunkOf(5, 5), undefined)
    calls.requeue(chunk, 0, 5)
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
  })
})

describe('a drained call', () => {
  it('discards what is ready, settles what runs, and is done', () => {
    const { calls, chunk, sent } = inFlight()
    calls.supply(1, chunkOf(5, 5), undefined)
    expect(calls.drain(1)).toBe(chunk.call)
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
    calls.settle(WORKER, chunk, resultsOf(1, 0, 2), 0)
    calls.requeue(chunk, 2, 5)
    calls.release(chunk.call)
    expect(sent()).toEqual(['settle 1: 2 from 0', 'end 1: done'])
  })

  it('ends even if the job has not loaded', () => {
    const commands: Command[] = []
    const calls = new CallTable({ processes: 1, concurrency: 1 }, (command) => commands.push(command))
    calls.open(1, { task: TASK })
    calls.drain(1)
    expect(lines(commands)).toEqual(['end 1: done'])
  })

  it('can still be aborted', () => {
    const { calls, chunk } = inFlight()
    calls.drain(1)
    expect(calls.drain(1)).toBeUndefined()
    expect(calls.abort(1)).toBe(chunk.call)
  })
})

describe('a failed item', () => {
  const retry = { retries: 1, delayMs: 100, on: ['error'] } as const
  const failed = (offset: number) => resultsOf(1, 0, 5, { failures: [{ offset, failure: FAILURE }] })

  it('settles with its chunk without retries', () => {
    const { calls, chunk, sent } = inFlight()
    calls.settle(WORKER, chunk, failed(2), 0)
    expect(sent()).toEqual(['settle 1: 5 from 0 error'])
  })

  it('is delayed before its next attempt while the others settle', () => {
    const { calls, chunk, sent, takeNext } = inFlight({ retry })
    calls.settle(WORKER, chunk, failed(2), 1_000)
    expect(sent()).toEqual(['settle 1: 2 from 0', 'settle 1: 2 from 3'])
    expect(calls.nextRetryAt).toBe(1_075)
    calls.retryDelayed(1_074)
    expect(takeNext()).toBeUndefined()
    calls.retryDelayed(1_075)
    expect(takeNext()?.pending).toMatchObject({
      chunk: { seq: 2, count: 1 },
      attempt: 2,
      earlier: [{ failure: FAILURE, attempts: 1 }],
      recordEachItem: true,
    })
    expect(calls.nextRetryAt).toBeUndefined()
  })

  it('keeps its call open while it is delayed', () => {
    const { calls, chunk, sent } = inFlight({ retry })
    calls.supply(1, undefined, undefined)
    calls.settle(WORKER, chunk, failed(2), 1_000)
    calls.release(chunk.call)
    expect(sent()).not.toContain('end 1: done')
    calls.drain(1)
    expect(sent()).toEqual(['cancelled 1: 1 from 2, attempt 1', 'end 1: done'])
    expect(calls.nextRetryAt).toBeUndefined()
  })

  it('is not retried for another kind of failure, or after its last attempt', () => {
    const { calls, chunk, sent, takeNext } = inFlight({ retry: { ...retry, delayMs: 0 } })
    calls.fail(WORKER, chunk, 0, { kind: 'timeout', timeoutMs: 5 }, 0)
    expect(sent()).toEqual(['settle 1: 1 from 0 timeout'])
    calls.fail(WORKER, chunk, 1, FAILURE, 0)
    expect(sent()).toEqual([])
    const second = takeNext()!
    calls.fail(WORKER, second, 0, FAILURE, 0)
    expect(sent()).toEqual(['settle 1: 1 from 1 error'])
  })
})

describe('requeue', () => {
  it('makes a part of a chunk ready again', () => {
    const { calls, chunk, takeNext } = inFlight()
    calls.requeue(chunk, 1, 3)
    expect(takeNext()?.pending).toMatchObject({ chunk: { seq: 1, count: 2 }, recordEachItem: false })
    calls.requeue(chunk, 3, 5, WORKER)
    expect(takeNext()?.pending).toMatchObject({ chunk: { seq: 3, count: 2 }, recordEachItem: true })
  })

  it('ignores an empty part', () => {
    const { calls, chunk } = inFlight()
    calls.supply(1, undefined, undefined)
    calls.requeue(chunk, 5, 5)
    expect(calls.turns.next(false, true, 0)).toBeUndefined()
  })

  it('makes each item a chunk of its own', () => {
    const { calls, chunk, takeNext } = inFlight()
    calls.requeueSingles(chunk, 3, WORKER)
    expect([takeNext(), takeNext()].map((part) => part?.pending)).toMatchObject([
      { chunk: { seq: 3, count: 1 }, recordEachItem: true },
      { chunk: { seq: 4, count: 1 }, recordEachItem: true },
    ])
  })
})
