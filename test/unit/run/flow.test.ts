import { describe, expect, test } from 'vitest'
import type { CancelledRange, Chunk, SettledRange } from '../../../src/model.js'
import { collect, failFast, lazy, lazyOverGaps } from '../../../src/policy/policy.js'
import { type Flow, type FlowOptions, openFlow } from '../../../src/run/flow.js'
import type { ChunkSource } from '../../../src/source.js'
import { bytesChunk, itemFailure, seqsOf, settledRange, valuesChunk } from '../policy/ranges.js'
import { SEEDS, seeded } from '../policy/seeded.js'
import { FakeExecutor, source, stateOf, turn } from './fake-executor.js'

const ROOMY = { items: 1_000_000, bytes: 1_000_000_000 }

function setUp(options: Partial<FlowOptions> = {}) {
  const executor = new FakeExecutor()
  const flow = openFlow({
    executor,
    source: source(100),
    task: { name: 'default', calling: 'item', reply: 'values' },
    policy: lazy,
    ordered: true,
    window: ROOMY,
    ...options,
  })
  return { executor, flow }
}

async function rest(flow: Flow): Promise<number[]> {
  const seqs: number[] = []
  for (let next = await flow.next(); next !== undefined; next = await flow.next()) seqs.push(...seqsOf(next))
  return seqs
}

/** What `next` throws, in a box: `undefined` can be thrown too. */
async function thrownBy(next: Promise<unknown>): Promise<{ thrown: unknown } | 'nothing'> {
  return next.then(
    () => 'nothing' as const,
    (thrown: unknown) => ({ thrown }),
  )
}

describe('delivery', () => {
  test.each(SEEDS)('is in input order whatever the order of settling (seed %i)', async (seed) => {
    const random = seeded(seed)
    const items = 1 + random.int(80)
    const { executor, flow } = setUp({ source: source(items) })
    const ranges: SettledRange[] = []
    for (let chunk = executor.take(5); chunk !== undefined; chunk = executor.take(1 + random.int(9)))
      for (let from = 0; from < chunk.count; from++) ranges.push(settledRange(chunk, { from, count: 1 }))
    const delivered = rest(flow)
    for (const range of random.shuffled(ranges)) {
      executor.settle(range)
      if (random.int(4) === 0) await turn()
    }
    executor.end()
    expect(await delivered).toEqual(Array.from({ length: items }, (_, i) => i))
    expect(flow.counts).toEqual({ ok: items, failed: 0, notRun: 0 })
  })

  test('is in the order of settling where `ordered` is false', async () => {
    const { executor, flow } = setUp({ ordered: false })
    const chunks = [executor.take(), executor.take(), executor.take()]
    for (const i of [2, 0, 1]) executor.settle(settledRange(chunks[i]!))
    executor.end()
    expect(await rest(flow)).toEqual([2, 0, 1])
  })

  test('wakes a consumer that called next before anything had settled', async () => {
    const { executor, flow } = setUp()
    const chunk = executor.take(2)
    const next = flow.next()
    expect(await stateOf(next)).toBe('pending')
    executor.settle(settledRange(chunk))
    expect(seqsOf((await next)!)).toEqual([0, 1])
  })

  test('ends, and stays at its end, once the executor is done', async () => {
    const { executor, flow } = setUp({ source: source(0) })
    const next = flow.next()
    executor.end()
    expect(await next).toBeUndefined()
    expect(await flow.next()).toBeUndefined()
  })

  test('does not deliver behind a gap while the item in it can still settle', async () => {
    const { executor, flow } = setUp()
    const chunks = [executor.take(), executor.take()]
    executor.settle(settledRange(chunks[1]!))
    const next = flow.next()
    expect(await stateOf(next)).toBe('pending')
    executor.settle(settledRange(chunks[0]!))
    expect(seqsOf((await next)!)).toEqual([0])
  })
})

describe('fail-fast', () => {
  test('stops when the failure settles, also before the first next', () => {
    const { executor, flow } = setUp({ policy: failFast })
    const chunks = [executor.take(), executor.take(2)]
    const failed = settledRange(chunks[1]!, { failed: [1] })
    executor.settle(failed)
    expect(executor.aborted).toBe(true)
    expect(flow.stopped).toEqual({ settled: failed, failure: failed.failures[0] })
    expect(flow.counts).toEqual({ ok: 1, failed: 1, notRun: 1 })
  })

  test('ends for the consumer without waiting for what is being cancelled', async () => {
    const { executor, flow } = setUp({ policy: failFast })
    executor.settle(settledRange(executor.take(), { failed: [0] }))
    expect(await flow.next()).toBeUndefined()
  })

  test('wakes a consumer that waits for an item in front of the failed one', async () => {
    const { executor, flow } = setUp({ policy: failFast })
    const chunks = [executor.take(), executor.take()]
    const next = flow.next()
    executor.settle(settledRange(chunks[1]!, { failed: [0] }))
    expect(await next).toBeUndefined()
  })

  test('keeps the failure that came first', () => {
    const { executor, flow } = setUp({ policy: failFast })
    const chunks = [executor.take(), executor.take(3)]
    executor.settle(settledRange(chunks[1]!, { failed: [1, 2] }))
    executor.settle(settledRange(chunks[0]!, { failed: [0] }))
    expect(flow.stopped?.settled.chunk).toBe(chunks[1])
    expect(flow.stopped?.failure.offset).toBe(1)
    expect(flow.counts.failed).toBe(3)
  })
})

describe('lazy', () => {
  test('goes on when a failure settles and delivers it in order', async () => {
    const { executor, flow } = setUp({ policy: lazy })
    const chunks = [executor.take(), executor.take(), executor.take()]
    executor.settle(settledRange(chunks[1]!, { failed: [0] }))
    expect(executor.aborted).toBe(false)
    expect(flow.stopped).toBeUndefined()
    executor.settle(settledRange(chunks[0]!))
    executor.settle(settledRange(chunks[2]!))
    const delivered = [await flow.next(), await flow.next(), await flow.next()]
    expect(delivered.map((settled) => settled?.failures.length)).toEqual([0, 1, 0])
  })
})

describe('collect', () => {
  test('that stops at its limit still delivers everything that had settled, over the gaps', async () => {
    const { executor, flow } = setUp({ policy: collect(({ failed }) => failed >= 2) })
    const chunks = [executor.take(), executor.take(), executor.take(), executor.take(), executor.take()]
    executor.settle(settledRange(chunks[4]!))
    executor.settle(settledRange(chunks[1]!, { failed: [0] }))
    expect(executor.aborted).toBe(false)
    executor.settle(settledRange(chunks[3]!, { failed: [0] }))
    expect(executor.aborted).toBe(true)
    executor.end()
    expect(await rest(flow)).toEqual([1, 3, 4])
    expect(flow.counts).toEqual({ ok: 1, failed: 2, notRun: 2 })
  })

  test('that stopped does not throw an error of its input, which it had stopped reading', async () => {
    const { executor, flow } = setUp({
      policy: collect(() => true),
      source: source(1, { error: new Error('torn') }),
    })
    executor.settle(settledRange(executor.take(), { failed: [0] }))
    executor.pull()
    executor.end()
    expect(await rest(flow)).toEqual([0])
  })
})

describe('an error of the source', () => {
  test.each([
    { how: 'throws', error: new Error('torn') },
    { how: 'throws undefined', error: undefined },
  ])('that $how is thrown unchanged, after every result before it', async ({ error }) => {
    const { executor, flow } = setUp({ source: source(2, { error }) })
    const chunk = executor.take(2)
    expect(executor.pull()).toBeUndefined()
    expect(flow.inputEnded).toBe(true)
    executor.settle(settledRange(chunk))
    executor.end()
    expect(seqsOf((await flow.next())!)).toEqual([0, 1])
    expect(await thrownBy(flow.next())).toEqual({ thrown: error })
  })

  test('that comes as a rejection is the same, and the executor only sees an end', async () => {
    const error = new Error('torn')
    const rejecting: ChunkSource = { next: () => Promise.reject(error), close() {} }
    const { executor, flow } = setUp({ source: rejecting })
    expect(await executor.pull()).toBeUndefined()
    executor.end()
    expect(await thrownBy(flow.next())).toEqual({ thrown: error })
  })
})

describe('a flow that ends before its input', () => {
  /** Items 1 and 3 have settled, 0 and 2 have not. */
  function withGaps(options: Partial<FlowOptions>) {
    const setup = setUp(options)
    const chunks = [0, 1, 2, 3].map(() => setup.executor.take())
    for (const i of [3, 1]) setup.executor.settle(settledRange(chunks[i]!))
    return setup
  }

  async function deliveredBefore(thrown: unknown, flow: Flow): Promise<number[]> {
    const seqs: number[] = []
    for (;;) {
      const next = await flow.next().catch((error: unknown) => error)
      if (next === thrown) return seqs
      seqs.push(...seqsOf(next as SettledRange))
    }
  }

  test.each([
    { name: 'collect', policy: collect() },
    { name: 'imap', policy: lazyOverGaps },
  ])('from outside delivers all that had settled, in order, at once: $name', async ({ policy }) => {
    const end = new AbortController()
    const { executor, flow } = withGaps({ policy, end: end.signal })
    const reason = new Error('deadline')
    end.abort(reason)
    expect(executor.aborted).toBe(true)
    expect(flow.endedEarly).toBe(true)
    expect(await deliveredBefore(reason, flow)).toEqual([1, 3])
    expect(flow.counts).toEqual({ ok: 2, failed: 0, notRun: 2 })
  })

  test('because its workers were killed delivers all that had settled, then throws the fault', async () => {
    const { executor, flow } = withGaps({ policy: collect() })
    const fault = new Error('terminated')
    executor.fail(fault)
    expect(await deliveredBefore(fault, flow)).toEqual([1, 3])
  })

  test('delivers nothing behind a gap to an iterator', async () => {
    const { executor, flow } = withGaps({ policy: lazy })
    const fault = new Error('terminated')
    executor.fail(fault)
    expect(await deliveredBefore(fault, flow)).toEqual([])
  })

  test('waits for the hooks of what had settled', async () => {
    const end = new AbortController()
    const reason = new Error('deadline')
    let release = () => {}
    const onSettled = () => new Promise<void>((resolve) => (release = resolve))
    const { flow } = withGaps({ policy: collect(), end: end.signal, onSettled })
    end.abort(reason)
    const delivered = deliveredBefore(reason, flow)
    release()
    await turn()
    release()
    expect(await delivered).toEqual([1, 3])
    expect(flow.reportedCounts).toEqual({ ok: 2, failed: 0, notRun: 2 })
  })
})

describe('nextReady', () => {
  test('returns ranges without a promise, in order, and makes room', async () => {
    const { executor, flow } = setUp({ source: source(3), window: { ...ROOMY, items: 1 } })
    expect(flow.nextReady()).toBeUndefined()
    executor.settle(settledRange(executor.take()))
    const next = executor.pull() as Promise<Chunk>
    expect(await stateOf(next)).toBe('pending')
    expect(seqsOf(flow.nextReady()!)).toEqual([0])
    expect((await next).seq).toBe(1)
    expect(flow.nextReady()).toBeUndefined()
  })

  test('returns nothing after an abort, and after a failure for which the policy discards the rest', async () => {
    const controller = new AbortController()
    const aborted = setUp({ signal: controller.signal })
    aborted.executor.settle(settledRange(aborted.executor.take()))
    controller.abort(new Error('enough'))
    expect(aborted.flow.nextReady()).toBeUndefined()
    const failing = setUp({ policy: failFast })
    const chunk = failing.executor.take()
    failing.executor.settle({ ...settledRange(chunk), failures: [itemFailure(0)] })
    expect(failing.flow.nextReady()).toBeUndefined()
  })
})

describe('the input', () => {
  test('has ended only once the source has returned undefined', () => {
    const { executor, flow } = setUp({ source: source(1) })
    executor.take()
    expect(flow.inputEnded).toBe(false)
    expect(executor.pull()).toBeUndefined()
    expect(flow.inputEnded).toBe(true)
  })

  test('has a number of remaining items only where its source does', () => {
    const { executor } = setUp({ source: { ...source(3), remaining: () => 3 } })
    expect(executor.execution.source.remaining?.()).toBe(3)
    expect(setUp().executor.execution.source.remaining).toBeUndefined()
  })

  test('is not pulled beyond the window while nothing is consumed, and goes on when something is', async () => {
    const numbers = source(1_000)
    const { executor, flow } = setUp({ source: numbers, window: { ...ROOMY, items: 10 } })
    for (let taken = 0; taken < 10; taken += 5) executor.settle(settledRange(executor.take(5)))
    const next = executor.pull() as Promise<Chunk>
    expect(await stateOf(next)).toBe('pending')
    expect(numbers.taken).toBe(10)
    await flow.next()
    expect((await next).seq).toBe(10)
    expect(numbers.taken).toBeLessThanOrEqual(15)
  })

  test.each(['drain', 'end'] as const)(
    'is not pulled for a call that ends by `%s` while it waits for the window',
    async (signal) => {
      const numbers = source(1_000)
      const controller = new AbortController()
      const { executor, flow } = setUp({
        source: numbers,
        window: { ...ROOMY, items: 1 },
        [signal]: controller.signal,
      })
      const chunk = executor.take()
      const next = executor.pull()
      executor.settle(settledRange(chunk))
      controller.abort(new Error('it ends'))
      await flow.next()
      expect(await next).toBeUndefined()
      expect(numbers.taken).toBe(1)
    },
  )

  test('waits while results that are not consumed fill the window in bytes', async () => {
    let seq = 0
    const text: ChunkSource = { next: () => bytesChunk(seq++, 1), close() {} }
    const { executor, flow } = setUp({ source: text, window: { ...ROOMY, bytes: 100 } })
    const chunk = executor.take()
    executor.settle({ ...settledRange(chunk), results: { kind: 'json', bytes: Buffer.alloc(100) } })
    const next = executor.pull() as Promise<Chunk>
    expect(await stateOf(next)).toBe('pending')
    await flow.next()
    expect((await next).seq).toBe(1)
  })

  test('waits sooner for a reader that is behind than for a result that is missing', async () => {
    const twenty = { results: { kind: 'json', bytes: Buffer.alloc(20) } } as const
    const set = () => {
      let seq = 0
      const text: ChunkSource = { next: () => bytesChunk(seq++, 1), close() {} }
      return setUp({ source: text, window: { ...ROOMY, bytes: 1_000, bytesBehind: 20 } })
    }
    const behind = set()
    const [a, b] = [behind.executor.take(), behind.executor.take()]
    behind.executor.settle({ ...settledRange(b), ...twenty })
    expect(behind.executor.pull(), 'the first is missing').not.toBeInstanceOf(Promise)
    behind.executor.settle({ ...settledRange(a), ...twenty })
    const held = behind.executor.pull() as Promise<Chunk>
    expect(await stateOf(held)).toBe('pending')
    await behind.flow.next()
    await behind.flow.next()
    expect((await held).seq).toBe(3)

    // A reader that takes all there is and waits for more is not behind, however much is held.
    const waiting = set()
    const [c, d] = [waiting.executor.take(), waiting.executor.take()]
    waiting.executor.settle({ ...settledRange(c), ...twenty })
    const stuck = waiting.executor.pull() as Promise<Chunk>
    expect(await stateOf(stuck)).toBe('pending')
    await waiting.flow.next()
    waiting.executor.settle({ ...settledRange(waiting.executor.take()), ...twenty })
    const more = waiting.flow.next()
    expect((await stuck).seq).toBe(2)
    waiting.executor.settle(settledRange(d))
    expect(seqsOf((await more)!)).toEqual([1])
  })

  test('holds the text of failed items, and only the results of others', async () => {
    let seq = 0
    const text: ChunkSource = { next: () => bytesChunk(seq++, 1), close() {} }
    const { executor, flow } = setUp({ source: text, policy: collect(), window: { ...ROOMY, bytes: 3 } })
    const good = executor.take()
    const bad = executor.take()
    executor.settle({ ...settledRange(good), results: { kind: 'json', bytes: Buffer.alloc(1) } })
    executor.settle({
      ...settledRange(bad),
      failures: [itemFailure(0)],
      results: { kind: 'json', bytes: Buffer.alloc(0) },
    })
    const next = executor.pull()
    expect(next).toBeInstanceOf(Promise)
    const [first, second] = [await flow.next(), await flow.next()]
    expect(first!.chunk).toMatchObject({ seq: 0, count: 1, payload: { bytes: { length: 0 } } })
    expect(second!.chunk.payload).toBe(bad.payload)
    expect(((await next) as Chunk).seq).toBe(2)
  })

  test.each(SEEDS)('is never taken beyond the window (seed %i)', async (seed) => {
    const random = seeded(seed)
    const items = 1 + random.int(30)
    const numbers = source(300)
    const { executor, flow } = setUp({ source: numbers, window: { ...ROOMY, items } })
    let delivered = 0
    const consumed = (async () => {
      for (let next = await flow.next(); next !== undefined; next = await flow.next()) {
        delivered += next.count
        if (random.int(3) === 0) await turn()
      }
    })()
    const taken: SettledRange[] = []
    for (;;) {
      const pulled = executor.pull({ items: 1 + random.int(10), bytes: 1_000 })
      // The window gives way only to what settles.
      if (pulled instanceof Promise)
        for (const settled of random.shuffled(taken.splice(0))) executor.settle(settled)
      const chunk = await pulled
      if (chunk === undefined) break
      expect(numbers.taken - delivered).toBeLessThanOrEqual(items)
      taken.push(settledRange(chunk))
    }
    for (const settled of taken) executor.settle(settled)
    executor.end()
    await consumed
    expect(delivered).toBe(300)
  })
})

describe('a hook on settling', () => {
  test('is called for every range when it settles, before it is delivered', async () => {
    const called: number[] = []
    const { executor, flow } = setUp({ onSettled: (settled) => void called.push(...seqsOf(settled)) })
    const chunks = [executor.take(), executor.take()]
    executor.settle(settledRange(chunks[1]!))
    expect(called).toEqual([1])
    executor.settle(settledRange(chunks[0]!))
    executor.end()
    expect(await rest(flow)).toEqual([0, 1])
    expect(called).toEqual([1, 0])
  })

  test('that returns a promise delays its own range and later hooks, and order stays', async () => {
    const called: number[] = []
    const releases: (() => void)[] = []
    const onSettled = (settled: SettledRange) => {
      called.push(...seqsOf(settled))
      return new Promise<void>((resolve) => releases.push(resolve))
    }
    const { executor, flow } = setUp({ onSettled, ordered: false })
    const chunks = [executor.take(), executor.take()]
    executor.settle(settledRange(chunks[1]!))
    executor.settle(settledRange(chunks[0]!))
    const next = flow.next()
    expect(await stateOf(next)).toBe('pending')
    expect(called).toEqual([1])
    releases[0]!()
    expect(seqsOf((await next)!)).toEqual([1])
    await turn()
    expect(called).toEqual([1, 0])
    const last = flow.next()
    executor.end()
    expect(await stateOf(last)).toBe('pending')
    releases[1]!()
    expect(seqsOf((await last)!)).toEqual([0])
    expect(await flow.next()).toBeUndefined()
  })

  test('that is slow does not delay ranges before it', async () => {
    const onSettled = ({ chunk }: SettledRange) => (chunk.seq === 0 ? undefined : new Promise<void>(() => {}))
    const { executor, flow } = setUp({ onSettled })
    const chunks = [executor.take(), executor.take()]
    executor.settle(settledRange(chunks[0]!))
    executor.settle(settledRange(chunks[1]!))
    expect(seqsOf((await flow.next())!)).toEqual([0])
  })

  test('that is slow does not keep fail-fast from stopping', () => {
    const onSettled = () => new Promise<void>(() => {})
    const { executor, flow } = setUp({ onSettled, policy: failFast })
    const chunks = [executor.take(), executor.take()]
    executor.settle(settledRange(chunks[0]!))
    executor.settle(settledRange(chunks[1]!, { failed: [0] }))
    expect(executor.aborted).toBe(true)
    expect(flow.stopped?.settled.chunk).toBe(chunks[1])
  })

  test.each([
    {
      how: 'throws',
      onSettled: () => {
        throw undefined
      },
    },
    { how: 'rejects', onSettled: () => Promise.reject(undefined) },
  ])('that $how, be it undefined, ends the flow with it', async ({ onSettled }) => {
    const { executor, flow } = setUp({ onSettled })
    const next = flow.next()
    executor.settle(settledRange(executor.take()))
    expect(await thrownBy(next)).toEqual({ thrown: undefined })
    expect(executor.aborted).toBe(true)
  })

  test('is not called again after it threw', async () => {
    let calls = 0
    const onSettled = () => {
      calls++
      return Promise.reject(new Error('no'))
    }
    const { executor, flow } = setUp({ onSettled })
    const chunks = [executor.take(), executor.take(), executor.take()]
    executor.settle(settledRange(chunks[0]!))
    executor.settle(settledRange(chunks[1]!))
    await thrownBy(flow.next())
    executor.settle(settledRange(chunks[2]!))
    await turn()
    expect(calls).toBe(1)
  })
})

describe('counts', () => {
  test('contain an item that waits for its hook; reported counts do not', async () => {
    const releases: (() => void)[] = []
    const onSettled = () => new Promise<void>((resolve) => releases.push(resolve))
    const { executor, flow } = setUp({ onSettled })
    const chunks = [executor.take(2), executor.take(3)]
    for (const chunk of chunks) executor.settle(settledRange(chunk, { failed: [1] }))
    expect(flow.counts).toEqual({ ok: 3, failed: 2, notRun: 0 })
    expect(flow.reportedCounts).toEqual({ ok: 1, failed: 1, notRun: 3 })
    releases[0]!()
    await turn()
    expect(flow.reportedCounts).toEqual(flow.counts)
  })

  test('are the same for reports where no hook is slow', () => {
    const { executor, flow } = setUp()
    executor.settle(settledRange(executor.take(2), { failed: [0] }))
    expect(flow.reportedCounts).toEqual({ ok: 1, failed: 1, notRun: 0 })
  })

  test('keep an item out of the reported ones whose hook is never called, because one before it threw', async () => {
    const { executor, flow } = setUp({ onSettled: () => Promise.reject(new Error('no')) })
    const chunks = [executor.take(), executor.take()]
    for (const chunk of chunks) executor.settle(settledRange(chunk))
    await thrownBy(flow.next())
    executor.end()
    await turn()
    expect(flow.counts).toEqual({ ok: 2, failed: 0, notRun: 0 })
    expect(flow.reportedCounts).toEqual({ ok: 1, failed: 0, notRun: 1 })
  })
})

describe('ending', () => {
  test.each([new Error('workers cannot be had'), undefined, null, 0])(
    'a fault of the executor reaches a waiting consumer: %s',
    async (error) => {
      const { executor, flow } = setUp()
      executor.take()
      const next = flow.next()
      executor.fail(error)
      expect(await thrownBy(next)).toEqual({ thrown: error })
      expect(await thrownBy(flow.next())).toEqual({ thrown: error })
    },
  )

  test('an abort throws its reason and cancels what runs', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { executor, flow } = setUp({ signal: controller.signal })
    const next = flow.next()
    controller.abort(reason)
    expect(await thrownBy(next)).toEqual({ thrown: reason })
    expect(executor.aborted).toBe(true)
  })

  test('a signal that was aborted before anything began does the same', async () => {
    const { executor, flow } = setUp({ signal: AbortSignal.abort('early') })
    expect(executor.aborted).toBe(true)
    expect(await thrownBy(flow.next())).toEqual({ thrown: 'early' })
  })

  test('leaves no listener on a signal that outlives it', async () => {
    const controller = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = controller.signal
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++
      return addEventListener.apply(controller.signal, args)
    }
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--
      return removeEventListener.apply(controller.signal, args)
    }
    const { executor, flow } = setUp({ signal: controller.signal })
    expect(listeners).toBe(1)
    executor.end()
    await rest(flow)
    expect(listeners).toBe(0)
  })

  test('the first of several ends is the one that is thrown', async () => {
    const controller = new AbortController()
    const { executor, flow } = setUp({ signal: controller.signal })
    controller.abort('first')
    executor.fail('second')
    await turn()
    expect(await thrownBy(flow.next())).toEqual({ thrown: 'first' })
  })

  test('cancel aborts, closes the source and resolves when nothing runs any more', async () => {
    const numbers = source(10)
    const { executor, flow } = setUp({ source: numbers })
    executor.take()
    const cancelled = flow.cancel()
    expect(executor.aborted).toBe(true)
    expect(await stateOf(cancelled)).toBe('pending')
    expect(numbers.closed).toBe(1)
    executor.end()
    await cancelled
    expect(await flow.next()).toBeUndefined()
  })

  test('cancel is idempotent, during and after', async () => {
    const { executor, flow } = setUp()
    const both = Promise.all([flow.cancel(), flow.cancel()])
    executor.end()
    await both
    await flow.cancel()
  })

  test('cancel resolves although the executor ends with a fault', async () => {
    const { executor, flow } = setUp()
    const cancelled = flow.cancel()
    executor.fail(new Error('and broken, too'))
    await cancelled
  })

  test('cancel waits until nothing runs although closing the source fails, and throws that', async () => {
    const error = new Error('cannot close')
    const { executor, flow } = setUp({ source: { ...source(1), close: () => Promise.reject(error) } })
    const cancelled = thrownBy(flow.cancel())
    expect(await stateOf(cancelled)).toBe('pending')
    executor.end()
    expect(await cancelled).toEqual({ thrown: error })
  })

  test('cancelled or stopped, it counts what was taken and never settled as not run', async () => {
    const { executor, flow } = setUp()
    executor.settle(settledRange(executor.take(4), { count: 1 }))
    void flow.cancel()
    executor.end()
    expect(await rest(flow)).toEqual([0])
    expect(flow.counts).toEqual({ ok: 1, failed: 0, notRun: 3 })
  })
})

test('chunks that ran again as slices keep their place in the order', async () => {
  const { executor, flow } = setUp()
  const chunk = executor.take(3)
  executor.settle(settledRange(chunk, { from: 0, count: 1 }))
  executor.settle(settledRange(valuesChunk(2, 1)))
  executor.settle(settledRange(chunk, { from: 1, count: 1, failed: [1] }))
  executor.end()
  expect(await rest(flow)).toEqual([0, 1, 2])
})

describe('an executor that loses items', () => {
  test.each([
    ['lazy', lazy, true],
    ['fail-fast', failFast, true],
    ['collect', collect(), true],
    ['collect, unordered', collect(), false],
  ] as const)('never looks like success (%s)', async (_, policy, ordered) => {
    const { executor, flow } = setUp({ source: source(6), policy, ordered })
    const chunk = executor.take(6)
    executor.settle(settledRange(chunk, { from: 0, count: 2 }))
    executor.settle(settledRange(chunk, { from: 3, count: 3 }))
    executor.end()
    const { thrown } = (await thrownBy(rest(flow) as Promise<never>)) as { thrown: unknown }
    expect(thrown).toMatchObject({
      code: 'ERR_POOL_BROKEN',
      message: expect.stringContaining('item 2 never'),
    })
  })

  test('never looks like success where one item settles in place of another', async () => {
    const { executor, flow } = setUp({ source: source(3), ordered: false })
    const chunk = executor.take(3)
    for (const from of [0, 1, 1]) executor.settle(settledRange(chunk, { from, count: 1 }))
    executor.end()
    const { thrown } = (await thrownBy(rest(flow) as Promise<never>)) as { thrown: unknown }
    expect(thrown).toMatchObject({ message: expect.stringContaining('item 1 settled more than once') })
  })
})

describe('items that had begun when the flow ended early', () => {
  const cancelledOf = (options: Partial<FlowOptions> = {}) => {
    const cancelled: string[] = []
    const onCancelled = ({ chunk, from, count }: CancelledRange) =>
      void cancelled.push(`${count} from ${chunk.seq + from}`)
    return { cancelled, ...setUp({ source: source(6), onCancelled, ...options }) }
  }

  test('are those that the executor reports, also after its end', async () => {
    const { executor, flow, cancelled } = cancelledOf()
    const chunk = executor.take(6)
    const range = { chunk, workerId: 0, pid: 1, attempts: 1 }
    executor.execution.onCancelled!({ ...range, from: 1, count: 2 })
    executor.fail(new Error('terminated'))
    await thrownBy(flow.next())
    executor.execution.onCancelled!({ ...range, from: 5, count: 1 })
    expect({ cancelled, error: flow.close() }).toEqual({
      cancelled: ['2 from 1', '1 from 5'],
      error: undefined,
    })
  })

  test('are those that settle after the end', async () => {
    const end = new AbortController()
    const { executor, flow, cancelled } = cancelledOf({ end: end.signal })
    const chunk = executor.take(6)
    end.abort(new Error('too late'))
    executor.settle(settledRange(chunk, { from: 2, count: 3 }))
    executor.end()
    await thrownBy(flow.next())
    expect(cancelled).toEqual(['3 from 2'])
    expect(flow.counts).toMatchObject({ ok: 0, failed: 0 })
  })

  test('are those that settled and whose hook is never called', async () => {
    const { executor, flow, cancelled } = cancelledOf({ onSettled: () => new Promise(() => {}) })
    const chunk = executor.take(6)
    executor.settle(settledRange(chunk, { from: 0, count: 1 }))
    executor.settle(settledRange(chunk, { from: 1, count: 2 }))
    expect(flow.close()).toBeUndefined()
    expect(cancelled).toEqual(['2 from 1'])
    expect(flow.reportedCounts).toMatchObject({ ok: 1 })
  })

  test('must not have settled', () => {
    const { executor, flow } = cancelledOf()
    const chunk = executor.take(6)
    executor.settle(settledRange(chunk, { from: 0, count: 2 }))
    executor.execution.onCancelled!({ chunk, from: 1, count: 1, workerId: 0, pid: 1, attempts: 1 })
    expect(flow.close()).toMatchObject({ code: 'ERR_POOL_BROKEN' })
  })
})
