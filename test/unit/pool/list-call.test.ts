// A call of a short list has the outcome of a flow that is read to its end, whatever settles, fails or aborts, and when.
import { describe, expect, test } from 'vitest'
import type { Chunk, Failure, SettledRange } from '../../../src/model.js'
import { failFast } from '../../../src/policy/policy.js'
import { ListCall } from '../../../src/pool/list-call.js'
import type { Outcome } from '../../../src/pool/outcome.js'
import type { PoolCall } from '../../../src/pool/pool-core.js'
import { readToEnd } from '../../../src/pool/read-to-end.js'
import { openSource } from '../../../src/pool/sources/open.js'
import { openFlow } from '../../../src/run/flow.js'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { FakeExecutor, turn } from '../run/fake-executor.js'

const task = { name: 'default', calling: 'item', reply: 'values' } as const
const FAILURE: Failure = { kind: 'timeout', timeoutMs: 5 }
const UNBOUNDED = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
const errorOf = (thrown: unknown) => ({ from: thrown })

type Step =
  | { readonly type: 'take'; readonly items: number }
  /** Of the items that were taken and have not settled, `count` from the one at `at`. */
  | {
      readonly type: 'settle'
      readonly at: number
      readonly count: number
      readonly failing: readonly number[]
    }
  | { readonly type: 'settle again' | 'abort' | 'end' | 'fault' }

type Call = (
  items: readonly unknown[],
  executor: FakeExecutor,
  signal: AbortSignal,
) => Promise<Outcome<unknown[]>>

const asList: Call = (items, executor, signal) =>
  new ListCall({ owner: {}, items, task, signal, errorOf, onEnd() {} }).execute(executor)

const asFlow: Call = (items, executor, signal) => {
  const source = openSource([...items])
  const flow = openFlow({
    executor,
    source,
    task,
    policy: failFast,
    ordered: true,
    window: UNBOUNDED,
    signal,
  })
  return readToEnd({ flow, source, wasCutShort: false, itemHandedOut() {} } satisfies PoolCall, (thrown) =>
    thrown === 'a fault' ? errorOf(thrown) : thrown,
  )
}

/** What a caller sees of it, and what its executor does. */
async function played(call: Call, items: readonly unknown[], steps: readonly Step[], abortsBefore: boolean) {
  const executor = new FakeExecutor()
  const controller = new AbortController()
  if (abortsBefore) controller.abort('enough')
  const settled: string[] = []
  let outcome: unknown = 'pending'
  void call(items, executor, controller.signal).then((ended) => {
    outcome = ended.ok ? { values: ended.value } : described(ended.makeError({}))
  })
  const chunks: Chunk[] = []
  const open: { chunk: Chunk; offset: number }[] = []
  let last: SettledRange | undefined
  let isRunning = true
  for (const step of steps) {
    if (!isRunning) break
    if (step.type === 'take') {
      const chunk = executor.aborted ? undefined : executor.take(step.items)
      if (chunk !== undefined) {
        chunks.push(chunk)
        for (let offset = 0; offset < chunk.count; offset++) open.push({ chunk, offset })
      }
    } else if (step.type === 'settle' && open.length > 0) {
      const first = open[step.at % open.length]!
      const range = open.filter(
        ({ chunk, offset }) =>
          chunk === first.chunk && offset >= first.offset && offset < first.offset + step.count,
      )
      const count = range.findIndex(({ offset }, i) => offset !== first.offset + i)
      const items = count === -1 ? range : range.slice(0, count)
      for (const item of items) open.splice(open.indexOf(item), 1)
      last = settledRange(first.chunk, first.offset, items.length, step.failing)
      executor.settle(last)
    } else if (step.type === 'settle again' && last !== undefined) executor.settle(last)
    else if (step.type === 'abort') controller.abort('enough')
    else if (step.type === 'end') executor.end()
    else if (step.type === 'fault') executor.fail('a fault')
    isRunning = step.type !== 'end' && step.type !== 'fault'
    await turn()
    settled.push(`${JSON.stringify(outcome)} ${isRunning && executor.aborted}`)
  }
  return { settled, chunks, rest: executor.execution.source.remaining?.() }
}

function described(error: unknown): unknown {
  return error instanceof Error ? { ...error, name: error.name, message: error.message } : error
}

function settledRange(chunk: Chunk, from: number, count: number, failing: readonly number[]): SettledRange {
  const offsets = Array.from({ length: count }, (_, i) => from + i)
  const failed = offsets.filter((offset) => failing.includes(offset))
  return {
    chunk,
    from,
    count,
    workerId: 0,
    pid: 1,
    attempts: 1,
    results: {
      kind: 'values',
      values: offsets.map((offset) => (failed.includes(offset) ? undefined : [chunk.seq + offset])),
    },
    failures: failed.map((offset) => ({ offset, failure: FAILURE, workerId: 0, pid: 1, attempts: 1 })),
  } as unknown as SettledRange
}

const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('take' as const), items: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      at: fc.nat(7),
      count: fc.integer({ min: 1, max: 4 }),
      failing: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(fc.nat(3), { maxLength: 2 })),
    }),
  },
  fc.constantFrom<Step>({ type: 'settle again' }, { type: 'abort' }, { type: 'end' }, { type: 'fault' }),
)

describe('a call of a short list', () => {
  test('is a flow that is read to its end', async () => {
    const outcomes = new Set<string>()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(7),
        fc.array(aStep, { maxLength: 14 }),
        fc.boolean(),
        fc.nat(9),
        async (length, steps, ends, before) => {
          const items = Array.from({ length }, (_, n) => n)
          const script: Step[] = ends ? [...steps, { type: 'end' }] : steps
          const [list, flow] = await Promise.all(
            [asList, asFlow].map((call) => played(call, items, script, before === 0)),
          )
          expect(list).toEqual(flow)
          outcomes.add(list!.settled.at(-1)?.replaceAll(/\d|\[|\]/g, '') ?? '')
        },
      ),
      { numRuns: runs(400) },
    )
    // Values, a failure, an abort, a fault, items that were lost or settled twice, and a call that goes on.
    expect(outcomes.size).toBeGreaterThan(6)
  })

  test('rejects with what the array throws when its items are read, after the items before it', async () => {
    const items = Object.defineProperty([1, 2, 3], 1, {
      get() {
        throw 'mine'
      },
    })
    const executor = new FakeExecutor()
    const outcome = asList(items, executor, new AbortController().signal)
    const chunk = executor.take(1)
    expect(chunk.count).toBe(1)
    expect(executor.take(1)).toBeUndefined()
    executor.settle(settledRange(chunk, 0, 1, []))
    executor.end()
    const ended = await outcome
    expect(ended.ok ? ended : ended.makeError({})).toBe('mine')
  })

  test('supplies items that were added to the array after the call', async () => {
    const items: unknown[] = []
    const executor = new FakeExecutor()
    const outcome = asList(items, executor, new AbortController().signal)
    for (let n = 0; n < 300; n++) items.push(n)
    for (let n = 0; n < items.length; n++) executor.settle(settledRange(executor.take(1), 0, 1, []))
    executor.end()
    expect(await outcome).toEqual({ ok: true, value: items.map((n) => [n]) })
  })
})
