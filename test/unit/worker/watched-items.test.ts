// The rule of chunks whose items are watched: whenever an item has lasted, the parent knows from the file and from what was
// sent which item runs and what every item before it ended with.
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { sharedNow } from '../../../src/ipc/flight-recorder/format.js'
import { ItemWatch, ItemWatcher, WatchMemory } from '../../../src/ipc/flight-recorder/item-watch.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Results } from '../../../src/model.js'
import fc from '../../helpers/fast-check.js'
import { type ChunkOptions, chunkOfText, FakeClock, setUpRunner } from './support.js'

afterEach(() => {
  delete (globalThis as { [key: symbol]: unknown })[Symbol.for('poolrun.currentTask')]
})

const LIMIT_MS = 60_000

/** What the items of a task do, by the letter of the item. */
const OUTCOMES: Readonly<Record<string, () => unknown>> = {
  number: () => 42,
  fraction: () => 0.1,
  text: () => 'ab',
  umlaut: () => 'ä€🙂',
  long: () => 'x'.repeat(20_000),
  large: () => 'x'.repeat(70_000),
  nothing: () => undefined,
  null: () => null,
  yes: () => true,
  minusZero: () => -0,
  object: () => ({ a: [1, 'ä'] }),
  map: () => new Map([[1, 2]]),
  notJson: () => Number.NaN,
  error: () => {
    throw new Error('no')
  },
}

interface Item {
  readonly outcome: keyof typeof OUTCOMES
  readonly isAsync: boolean
  /** How often the watcher looks while it runs. */
  readonly looks: number
  /** Everything that has settled is sent while it runs. */
  readonly sends: boolean
  /** Time it takes. */
  readonly ms: number
}

const PLAIN: Item = { outcome: 'number', isAsync: false, looks: 0, sends: false, ms: 0 }

const item: fc.Arbitrary<Item> = fc.record({
  outcome: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('number', 'text', 'umlaut', 'nothing') },
    fc.constantFrom(...Object.keys(OUTCOMES)),
  ),
  isAsync: fc.boolean(),
  looks: fc.constantFrom(0, 0, 1, 2, 3),
  sends: fc.constantFrom(false, false, false, true),
  ms: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constantFrom(3, 12)),
})

const scenario = fc.record({
  chunks: fc.array(
    fc.array(
      fc.oneof(
        fc.nat(60).map((count) => Array<Item>(count).fill(PLAIN)),
        fc.array(item, { maxLength: 6 }),
      ),
      { minLength: 1, maxLength: 6 },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  reply: fc.constantFrom<Results['kind'][]>('values', 'json'),
})

interface Scenario {
  readonly chunks: readonly (readonly (readonly Item[])[])[]
  readonly reply: Results['kind']
}

/** As a parent sees it that kills the process now: what each item of the chunk ended with, as far as it can know. */
function outcomesKnown(
  { id }: ChunkMessage,
  sent: readonly ResultsMessage[],
  outcomes: readonly { readonly id: number; readonly offset: number }[],
): Map<number, unknown> {
  const known = new Map<number, unknown>()
  for (const { id: of, from, count, results, failures } of sent) {
    if (of !== id) continue
    const lines = results.kind === 'json' ? Buffer.from(results.bytes).toString().split('\n') : []
    for (let i = 0; i < count; i++) {
      const isFailed = failures.some(({ offset }) => offset === from + i)
      if (isFailed) known.set(from + i, 'failed')
      else known.set(from + i, results.kind === 'json' ? lines.shift() : results.values[i])
    }
  }
  for (const { id: of, offset, ...outcome } of outcomes) {
    if (of !== id || known.has(offset)) continue
    if ('text' in outcome) known.set(offset, outcome.text)
    else known.set(offset, 'failure' in outcome ? 'failed' : (outcome as { value?: unknown }).value)
  }
  return known
}

/** Runs the scenario and checks the rule inside each item. Returns how many items were recorded by the watcher. */
async function run({ chunks: parts, reply }: Scenario): Promise<number> {
  const file = createFlightRecordFile()!
  try {
    const clock = new FakeClock()
    const memory = new WatchMemory()
    const watch = new ItemWatch(memory)
    const recorder = new FlightRecorder(file.fd, { startWatch: () => watch })
    recorder.canWatch(LIMIT_MS)
    const watcher = new ItemWatcher(memory, file.fd, sharedNow)
    const chunks = parts.map((part) => part.flat())
    const messages: ChunkMessage[] = []
    const begun: string[] = []
    let recorded = 0
    const expectedOf = ({ outcome }: Item): unknown => {
      if (outcome === 'error' || (outcome === 'notJson' && reply === 'json')) return 'failed'
      if (reply === 'values') return OUTCOMES[outcome]!()
      return outcome === 'map' ? 'failed' : (JSON.stringify(OUTCOMES[outcome]!()) ?? 'null')
    }
    // What is thrown inside a task is only its item's failure.
    const broken: unknown[] = []
    const inside = (c: number, i: number) => {
      try {
        check(c, i)
      } catch (thrown) {
        broken.push(thrown)
      }
    }
    const check = (c: number, i: number) => {
      const { looks, sends, ms } = chunks[c]![i]!
      clock.spend(ms)
      if (chunks[c]![i] === PLAIN) return
      if (sends) void outbox.flush()
      const wasRunning = file.read()!.running.some(({ id, offset }) => id === messages[c]!.id && offset === i)
      for (let look = 0; look < looks; look++) watcher.look()
      const { running, unrecorded, outcomes } = file.read()!
      const { id } = messages[c]!
      const isKnown = running.some((item) => item.id === id && item.offset === i)
      expect(isKnown || unrecorded.includes(id), 'neither recorded nor unrecorded').toBe(true)
      if (looks >= 2) expect(isKnown, `item ${i} has lasted`).toBe(true)
      if (!isKnown) return
      if (!wasRunning) recorded++
      expect(running.filter((item) => item.id === id)).toHaveLength(1)
      const known = outcomesKnown(messages[c]!, sent, outcomes)
      expect([...known.keys()].sort((a, b) => a - b)).toEqual([...Array(i).keys()])
      for (const [offset, value] of known) expect(value).toEqual(expectedOf(chunks[c]![offset]!))
    }
    const task = (pair: unknown) => {
      const [c, i] = pair as [number, number]
      if (c < 0) return 0
      begun.push(`${c}:${i}`)
      const { outcome, isAsync } = chunks[c]![i]!
      if (!isAsync) {
        inside(c, i)
        return OUTCOMES[outcome]!()
      }
      return Promise.resolve().then(() => {
        inside(c, i)
        return OUTCOMES[outcome]!()
      })
    }
    const { runAll, sent, outbox } = setUpRunner(task, { clock, recorder })
    const chunkOf = (lines: readonly string[], options: ChunkOptions) =>
      chunkOfText(lines.map((line) => `${line}\n`).join(''), lines.length, options)
    await runAll(chunkOf(Array(64).fill('[-1,0]'), { reply }))
    messages.push(
      ...chunks.map((items, c) =>
        chunkOf(
          items.map((_, i) => `[${c},${i}]`),
          { reply, timeoutMs: LIMIT_MS },
        ),
      ),
    )
    const notEmpty = messages.filter(({ count }) => count > 0)
    for (const message of notEmpty) await runAll(message)
    if (broken.length > 0) throw broken[0]
    expect(begun).toEqual(chunks.flatMap((items, c) => items.map((_, i) => `${c}:${i}`)))
    for (const [c, items] of chunks.entries())
      expect([...outcomesKnown(messages[c]!, sent, []).values()]).toEqual(items.map(expectedOf))
    return recorded
  } finally {
    file.close()
  }
}

describe('an item that lasts in a chunk of cheap items', () => {
  test('is known with everything before it, whatever the items do', { timeout: 120_000 }, async () => {
    let recorded = 0
    await fc.assert(
      fc.asyncProperty(scenario, async (scenario) => {
        recorded += await run(scenario)
      }),
      { numRuns: 80 },
    )
    expect(recorded).toBeGreaterThan(100)
  })

  test.each(['values', 'json'] as const)('is recorded by the watcher alone (%s)', async (reply) => {
    const lasts: Item = { ...PLAIN, looks: 2 }
    const items = [...Array<Item>(500).fill(PLAIN), lasts, ...Array<Item>(40).fill(PLAIN)]
    expect(await run({ chunks: [[items]], reply })).toBe(1)
  })
})

test('what watched items have returned is in the file while a small call runs between them', async () => {
  const file = createFlightRecordFile()!
  onTestFinished(() => file.close())
  const memory = new WatchMemory()
  const watch = new ItemWatch(memory)
  const recorder = new FlightRecorder(file.fd, { startWatch: () => watch })
  recorder.canWatch(LIMIT_MS)
  new ItemWatcher(memory, file.fd, sharedNow)
  let outcomes: unknown[] = []
  const set = setUpRunner(
    (item) => {
      if (item === 'small') outcomes = file.read()!.outcomes.filter(({ id }) => id === large.id)
      if (item !== 50) return item
      const small = chunkOfText('"small"\n', 1, { isSmall: true, timeoutMs: LIMIT_MS })
      return Promise.resolve().then(() => set.runner.run([small]))
    },
    { recorder },
  )
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n}\n`).join('')
  await set.runAll(chunkOfText(numbers(40), 40))
  const large = chunkOfText(numbers(200), 200, { timeoutMs: LIMIT_MS })
  await set.runAll(large)
  expect(outcomes).toHaveLength(51)
  expect([...outcomesKnown(large, set.sent, []).keys()]).toEqual([...Array(200).keys()])
})
