// Items too cheap to be recorded, and the rule of the fast path: it sends what the normal path sends.
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { rawOutput, unquoted } from '../../../src/framing/raw-lines.js'
import { resultLines } from '../../../src/framing/result-lines.js'
import { createFlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Calling, Failure, Results } from '../../../src/model.js'
import { currentTask, type Task } from '../../../src/worker/task-context.js'
import fc from '../../helpers/fast-check.js'
import { runs, SEED } from '../../helpers/random.js'
import { CARRIED, REFUSED } from './hostile.js'
import { chunkOfText, chunkOfValues, FakeClock, linesOf, outcomesOf, setUpRunner } from './support.js'

afterEach(() => {
  delete (globalThis as { [key: symbol]: unknown })[Symbol.for('poolrun.currentTask')]
})

function recorderOf() {
  const file = createFlightRecordFile()!
  onTestFinished(() => file.close())
  return { recorder: new FlightRecorder(file.fd), read: () => file.read()! }
}

describe('items too cheap to be recorded', () => {
  const COUNT = 5_000
  const NUMBERS = [...Array(COUNT).keys()]

  /** Runs so many items that the fast path runs most of them. */
  async function runCheap(task: Task, reply: Results['kind'] = 'values', calling: Calling = 'item') {
    const ran: number[] = []
    const { runAll, sent } = setUpRunner((...args) => {
      const { index } = currentTask()
      ran.push(index)
      return task(...args)
    })
    const items = NUMBERS.map((n) => (calling === 'spread' ? [n] : n))
    const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('')
    const chunk =
      reply === 'json'
        ? chunkOfText(lines, COUNT, { reply, calling })
        : chunkOfValues(items, { reply, calling })
    await runAll(chunk)
    expect(ran).toEqual(NUMBERS)
    return { sent, chunk }
  }

  test.each<['values' | 'json', Calling]>([
    ['values', 'item'],
    ['values', 'spread'],
    ['json', 'item'],
    ['json', 'spread'],
  ])('each have their result, sent as %s by a task called with its %s', async (reply, calling) => {
    const { sent, chunk } = await runCheap((n) => (n as number) * 2, reply, calling)
    const expected = NUMBERS.map((n) => n * 2)
    if (reply === 'values') return expect(outcomesOf(sent, chunk.id)).toEqual(expected)
    expect(linesOf(sent)).toBe(expected.map((n) => `${n}\n`).join(''))
  })

  test('may fail, wait and have results that JSON cannot carry, one by one', async () => {
    const odd = (n: unknown) => {
      if ((n as number) % 7 === 3) throw new Error(`no ${n}`)
      if ((n as number) % 11 === 5) return Promise.resolve(`later ${n}`)
      if ((n as number) % 13 === 6) return { n: Number.NaN }
      return n
    }
    const { sent, chunk } = await runCheap(odd, 'json')
    let next = 0
    for (const { from, count, failures, results } of sent.filter(({ id }) => id === chunk.id)) {
      expect(from).toBe(next)
      const lines = results.kind === 'json' ? Buffer.from(results.bytes).toString().split('\n') : []
      const failed = new Map(failures.map(({ offset, failure }) => [offset, failure.kind]))
      let line = 0
      for (let n = from; n < from + count; n++) {
        const kind = n % 7 === 3 ? 'error' : n % 11 !== 5 && n % 13 === 6 ? 'encoding' : undefined
        expect(failed.get(n), `item ${n}`).toBe(kind)
        if (kind === undefined) expect(lines[line++]).toBe(n % 11 === 5 ? `"later ${n}"` : `${n}`)
      }
      expect(lines.slice(line)).toEqual([''])
      next += count
    }
    expect(next).toBe(COUNT)
  })

  test('have the results that they returned, even if the task changes those later', async () => {
    const shared = { n: 0 }
    const { sent } = await runCheap(() => {
      shared.n++
      return shared
    }, 'json')
    const lines = linesOf(sent)
    expect(lines.split('\n', COUNT).at(-1)).toBe(`{"n":${COUNT}}`)
    expect(lines.startsWith('{"n":1}\n{"n":2}\n')).toBe(true)
  })

  test('leave no context behind', async () => {
    await runCheap((n) => n)
    expect(() => currentTask()).toThrow(/outside/)
  })

  test('fail alone where they are not JSON', async () => {
    const { runAll } = setUpRunner((item) => item)
    const lines = Array.from({ length: 300 }, (_, n) => (n % 50 === 49 ? '{"n":\n' : `${n}\n`))
    await runAll(chunkOfText(lines.join(''), 300))
    const chunk = chunkOfText(lines.join(''), 300)
    const results = outcomesOf(await runAll(chunk), chunk.id)
    expect(results.filter((_, n) => n % 50 !== 49)).toEqual(
      [...Array(300).keys()].filter((n) => n % 50 !== 49),
    )
    expect(results[49]).toMatchObject({ kind: 'input' })
  })

  test('are not recorded any more once some of their chunk have turned out cheap', async () => {
    const { recorder, read } = recorderOf()
    const states: string[] = []
    const { runAll } = setUpRunner(
      (n) => {
        if ((n as number) % 100 === 0) states.push(read().unrecorded.length > 0 ? 'unrecorded' : 'recorded')
        return n
      },
      { recorder },
    )
    await runAll(chunkOfValues([...Array(4_000).keys()]))
    expect(states[0]).toBe('recorded')
    expect(states.at(-1)).toBe('unrecorded')
  })

  test('are not running while results are sent: a crash then is blamed on none of them', async () => {
    const { recorder, read } = recorderOf()
    const clock = new FakeClock()
    const running: unknown[] = []
    let messages = 0
    const { runner, runAll } = setUpRunner((n) => clock.spend((n as number) < 2_000 ? 0 : 12), {
      clock,
      recorder,
      onSend() {
        messages++
        // As when the job ends the process.
        runner.recordEverything()
        running.push(...read().running)
      },
    })
    await runAll(chunkOfValues([...Array(2_010).keys()]))
    expect(messages).toBeGreaterThan(1)
    expect(running).toEqual([])
  })

  test('are timed until the promise they return settles: those of a task that has turned slow are recorded', async () => {
    const { recorder, read } = recorderOf()
    const clock = new FakeClock()
    const seen: { unrecorded: readonly number[]; running: number[] }[] = []
    const { runAll } = setUpRunner(
      async (item) => {
        if (item === 'look') {
          const { unrecorded, running } = read()
          seen.push({ unrecorded, running: running.map(({ id }) => id) })
        }
        await undefined
        if (item === 'slow') clock.spend(3)
      },
      { clock, recorder },
    )
    await runAll(chunkOfValues(Array(300).fill('quick')))
    const whileCheap = chunkOfValues(['look'])
    await runAll(whileCheap)
    await runAll(chunkOfValues(Array(20).fill('slow')))
    const whileSlow = chunkOfValues(['look'])
    await runAll(whileSlow)
    expect(seen[0]!.unrecorded).toContain(whileCheap.id)
    expect(seen[1]!.unrecorded).not.toContain(whileSlow.id)
    expect(seen[1]!.running).toEqual([whileSlow.id])
  })

  test('are not recorded either where the call wants to know how long each one takes', async () => {
    const { recorder, read } = recorderOf()
    const clock = new FakeClock()
    const times = (n: number) => (n % 100) / 50_000
    let unrecorded = 0
    const { runAll } = setUpRunner(
      (n) => {
        if (read().unrecorded.length > 0) unrecorded++
        clock.spend(times(n as number))
        if (n === 150) throw new Error('no')
      },
      { clock, recorder },
    )
    await runAll(chunkOfValues(Array(32).fill(0)))
    const chunk = chunkOfValues([...Array(200).keys()], { timed: true })
    const sent = (await runAll(chunk)).filter(({ id }) => id === chunk.id)
    expect(unrecorded).toBeGreaterThanOrEqual(200)
    for (const [n, ms] of sent.flatMap(({ timings }) => [...timings!.ms]).entries())
      expect(ms).toBeCloseTo(times(n), 9)
  })

  test('are recorded nevertheless where the parent requires it', async () => {
    const { recorder, read } = recorderOf()
    let ran = 0
    const { runAll } = setUpRunner(
      (n) => {
        expect(read()).toMatchObject({ unrecorded: [], running: [{ offset: n }] })
        ran++
        return n
      },
      { recorder },
    )
    const chunk = chunkOfValues([...Array(500).keys()], { recordEachItem: true })
    const sent = await runAll(chunk)
    expect(outcomesOf(sent, chunk.id)).toEqual([...Array(500).keys()])
    expect(ran).toBe(500)
  })
})

// ── the rule ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Item {
  readonly does:
    | 'returns'
    | 'throws'
    | 'resolves'
    | 'rejects'
    | 'thenable'
    | 'yields'
    | 'yields later'
    | 'is not JSON'
    /** Sends its process a signal that may end it, and does not. */
    | 'signals'
  /** What it returns or throws, made anew each time. */
  readonly outcome: number
  /** Time it takes. */
  readonly ms: number
  /** While it is awaited (a promise), the chunk of this number is cancelled. */
  readonly cancels?: number | undefined
}

interface Scenario {
  readonly chunks: readonly {
    readonly items: readonly Item[]
    readonly reply: Results['kind']
    readonly raw: boolean
    readonly calling: Calling
    readonly recordEachItem: boolean
    readonly timed: boolean | 'durations'
  }[]
  /** How many chunks arrive in one message. */
  readonly perMessage: number
  readonly hasRecorder: boolean
}

/** All that a task may return or throw, and more of what is common. */
const OUTCOMES: readonly (() => unknown)[] = [
  ...Array.from({ length: 30 }, (_, n) => () => n),
  ...Array.from({ length: 10 }, (_, n) => () => ({ n, text: 'x'.repeat(n) })),
  ...['', 'a', '"b"', 'c\nd', '\n', '\x1e', '\x1e\n', 'e\x1e', '\r', '\ud800', 'ä', '17'].map(
    (text) => () => text,
  ),
  () => new String('a\nb'),
  () => 'x'.repeat(70_000),
  () => `${'x'.repeat(70_000)}\n`,
  () => 'x'.repeat(250_000),
  () => ['x'.repeat(100_000)],
  () => new Error('no'),
  ...[...CARRIED, ...REFUSED].map(({ make }) => make),
]

const item: fc.Arbitrary<Item> = fc.record({
  does: fc.oneof(
    { weight: 12, arbitrary: fc.constant('returns') },
    fc.constantFrom(
      'throws',
      'resolves',
      'rejects',
      'thenable',
      'yields',
      'yields later',
      'is not JSON',
      'signals',
    ),
    { weight: 6, arbitrary: fc.constantFrom('throws', 'resolves', 'rejects', 'is not JSON', 'signals') },
  ) as fc.Arbitrary<Item['does']>,
  outcome: fc.oneof({ weight: 8, arbitrary: fc.nat(51) }, fc.nat(OUTCOMES.length - 1)),
  ms: fc.oneof({ weight: 60, arbitrary: fc.constantFrom(0, 0.001) }, fc.constantFrom(0.1, 3, 12)),
  cancels: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.nat(4)),
})

const PLAIN: Item = { does: 'returns', outcome: 0, ms: 0 }
/** Enough for a batch, and to find out that items are cheap again. */
const plainItems = fc.nat(40).map((count) => Array<Item>(count).fill(PLAIN))

const scenario: fc.Arbitrary<Scenario> = fc.record({
  chunks: fc.array(
    fc.record({
      items: fc
        .array(fc.oneof(plainItems, fc.array(item, { maxLength: 12 })), { maxLength: 4 })
        .map((parts) => parts.flat()),
      reply: fc.constantFrom('values', 'json'),
      raw: fc.boolean(),
      calling: fc.constantFrom('item', 'item', 'spread'),
      recordEachItem: fc.constantFrom(false, false, false, false, false, true),
      timed: fc.constantFrom<(boolean | 'durations')[]>(false, false, false, false, true, 'durations'),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  perMessage: fc.integer({ min: 1, max: 5 }),
  hasRecorder: fc.constantFrom(true, true, false),
})

const WARM_UP = -1

/** What a parent can tell apart: which items settled in which chunk and how, and what did not run. */
async function observe({ chunks, perMessage, hasRecorder }: Scenario, fastPath: boolean) {
  const clock = new FakeClock()
  const file = hasRecorder ? createFlightRecordFile() : undefined
  const calls: unknown[] = []
  const messages: ChunkMessage[] = []
  const chunkNumber = (id: number) => messages.findIndex((chunk) => chunk.id === id)
  let unrecorded = 0
  const task: Task = (...args) => {
    const [chunk, i] = args as [number, number]
    if (chunk === WARM_UP) return 0
    const { does, outcome, ms, cancels } = chunks[chunk]!.items[i]!
    const { index, attempt, workerId } = currentTask()
    calls.push([chunk, i, index, attempt, workerId, args.length])
    if (file !== undefined && i % 16 === 0 && file.read()!.unrecorded.length > 0) unrecorded++
    clock.spend(ms)
    const value = OUTCOMES[outcome]!()
    const later = async () => {
      const { signal } = currentTask()
      await undefined
      if (cancels !== undefined) runner.cancel(messages.slice(cancels, cancels + 1).map(({ id }) => id))
      calls.push(['goes on', currentTask().index, signal.aborted])
    }
    switch (does) {
      case 'throws':
        throw value
      case 'resolves':
        return later().then(() => value)
      case 'rejects':
        return later().then(() => Promise.reject(value))
      case 'yields':
        return (function* () {
          calls.push(['yields', currentTask().index])
          yield value
          if (outcome % 4 === 0) throw value
          yield* [outcome, value]
        })()
      case 'yields later':
        return (async function* () {
          yield outcome
          await later()
          yield value
        })()
      case 'thenable':
        // biome-ignore lint/suspicious/noThenProperty: what this is about
        return { then: (resolve: (value: unknown) => void) => resolve([outcome]) }
      case 'signals':
        void outbox.flush()
        runner.recordEverything()
        calls.push(['records', file?.read()?.running.map(({ id, offset }) => [chunkNumber(id), offset])])
        return value
      default:
        return value
    }
  }
  // With `spread`, the item is the arguments; otherwise the first argument is the item and the second its context.
  const tasks = { item: ((pair: unknown) => task(...(pair as number[]))) as Task, spread: task }
  // Marking output, which does nothing here, excludes the fast path.
  const onStartItem = fastPath ? undefined : () => {}
  const recorder = file && new FlightRecorder(file.fd)
  const setUp = setUpRunner(() => {}, { clock, tasks, onStartItem, recorder })
  const { runner, outbox, sent, cancelled, runAll } = setUp
  for (const [c, { items, reply, raw, calling, recordEachItem, timed }] of chunks.entries()) {
    const lines = items.map(({ does }, i) => (does === 'is not JSON' ? '{"n":\n' : `[${c},${i}]\n`)).join('')
    const options = { name: calling, calling, reply, raw, recordEachItem, timed, index: 1_000 * c }
    messages.push(chunkOfText(lines, items.length, { ...options, attempt: c + 1 }))
  }
  // So that both tasks are known to be cheap.
  for (const calling of ['item', 'spread'] as const)
    await runAll(chunkOfText(`[${WARM_UP},0]\n`.repeat(16), 16, { name: calling, calling }))
  for (let c = 0; c < messages.length; c += perMessage) await runAll(...messages.slice(c, c + perMessage))
  file?.close()
  return {
    unrecorded,
    calls,
    cancelled: cancelled.map(chunkNumber),
    settled: messages.map(({ id }) => itemsOf(sent.filter((message) => message.id === id))),
  }
}

/** How each item of a chunk settled, however its results were divided into messages. */
function itemsOf(sent: readonly ResultsMessage[]): unknown[] {
  const items: unknown[] = []
  for (const { from, count, results, failures, timings } of sent) {
    expect(from, 'a gap, or an item twice').toBe(items.length)
    const failed = new Map(failures.map(({ offset, failure }) => [offset, withoutStack(failure)]))
    const lines = results.kind === 'json' ? Buffer.from(results.bytes).toString().split('\n') : []
    for (let i = 0; i < count; i++) {
      const failure = failed.get(from + i)
      const value = results.kind === 'values' ? results.values[i] : undefined
      const line = results.kind === 'json' && failure === undefined ? lines.shift() : undefined
      items.push({ failure, value, line, startedAt: timings?.startedAt[i], ms: timings?.ms[i] })
    }
    if (timings !== undefined) expect(timings.ms).toHaveLength(count)
    expect(lines.join('')).toBe('')
  }
  return items
}

/** Stacks name the functions of the path that called the task. */
function withoutStack(failure: Failure): Failure {
  if (failure.kind !== 'error' || failure.error.type !== 'error') return failure
  return { ...failure, error: { ...failure.error, frames: '' } }
}

/** A cancelled chunk drops what it has not sent, and that depends on when messages were sent. */
function expectSamePart(some: readonly unknown[], others: readonly unknown[]): void {
  const count = Math.min(some.length, others.length)
  expect(some.slice(0, count)).toEqual(others.slice(0, count))
}

describe('the fast path', () => {
  test('sends what the normal path sends, whatever the items do', async () => {
    let unrecorded = 0
    await fc.assert(
      fc.asyncProperty(scenario, async (random) => {
        const fast = await observe(random, true)
        const normal = await observe(random, false)
        expect(fast.calls).toEqual(normal.calls)
        expect(fast.cancelled).toEqual(normal.cancelled)
        for (const [c, items] of fast.settled.entries())
          if (fast.cancelled.includes(c)) expectSamePart(items, normal.settled[c]!)
          else expect(items).toEqual(normal.settled[c])
        unrecorded += fast.unrecorded
      }),
      { seed: 20_240, numRuns: runs(250) },
    )
    // Otherwise the two paths were the same one.
    expect(unrecorded).toBeGreaterThan(runs(250))
  })
})

describe('raw lines', () => {
  const withRaw = (random: Scenario, raw: boolean): Scenario => ({
    ...random,
    chunks: random.chunks.map((chunk) => ({ ...chunk, reply: 'json', raw })),
  })
  /** How each item settled, and what is written for it. */
  const written = (items: readonly unknown[], toOutput: (line: Buffer) => Uint8Array) =>
    (items as { failure: unknown; line?: string }[]).map(({ failure, line }) => ({
      failure,
      output: line === undefined ? undefined : toOutput(Buffer.from(`${line}\n`)).toString(),
    }))

  test('lead to the output that lines of JSON lead to, whatever the items do', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (random) => {
        const raw = await observe(withRaw(random, true), true)
        const json = await observe(withRaw(random, false), true)
        for (const [c, items] of raw.settled.entries()) {
          const expected = written(json.settled[c]!, (line) => unquoted(resultLines(line)))
          const isCancelled = raw.cancelled.includes(c) || json.cancelled.includes(c)
          if (isCancelled) expectSamePart(written(items, rawOutput), expected)
          else expect(written(items, rawOutput)).toEqual(expected)
        }
      }),
      { numRuns: runs(100), seed: SEED },
    )
  })
})
