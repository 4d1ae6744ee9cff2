// A task that is a generator: what its item ends with.
import { describe, expect, test } from 'vitest'
import { parseResult } from '../../../src/framing/result-lines.js'
import { isGenerator, readGenerator, YieldedLine } from '../../../src/worker/generator.js'
import { Refusal } from '../../../src/worker/outcome.js'
import { Context } from '../../../src/worker/task-context.js'

const contextOf = () => new Context(0, 1, 0)
/** An event loop that has delivered all that there is. */
const idle = { isYieldDue: false, yieldToEventLoop: () => Promise.reject(new Error('not due')) }

function* sync(...values: readonly unknown[]) {
  yield* values
  return 'ignored'
}
async function* async(...values: readonly unknown[]) {
  for (const value of values) yield value
  return 'ignored'
}

describe.each([
  ['a generator', sync],
  ['an async generator', async],
])('%s', (_, make) => {
  test('is told from any other object', () => {
    expect(isGenerator(make())).toBe(true)
    for (const other of [[].values(), { next() {} }, new Map().entries(), {}, null, undefined, make])
      expect(isGenerator(other)).toBe(false)
  })

  test.each([[[]], [[1]], [[null, { a: ['x\n'] }, undefined]]])(
    'has a line of all that it yields: %j',
    async (values) => {
      const outcome = await readGenerator(make(...values), { reply: 'json' }, contextOf(), idle)
      expect(outcome).toBeInstanceOf(YieldedLine)
      expect(parseResult((outcome as YieldedLine).text)).toEqual(values.map((value) => value ?? null))
    },
  )

  test('has the array of all that it yields', async () => {
    expect(await readGenerator(make(1, undefined, -0), { reply: 'values' }, contextOf(), idle)).toEqual([
      1,
      undefined,
      -0,
    ])
  })

  test.each([
    [1n, '[1]'],
    [{ a: { f: () => {} } }, '[1].a.f'],
    [[0, Number.NaN], '[1][1]'],
  ])('fails for a value that JSON cannot carry, and names it: %o', async (value, path) => {
    const outcome = await readGenerator(make(0, value, 2), { reply: 'json' }, contextOf(), idle)
    expect(outcome).toBeInstanceOf(Refusal)
    expect((outcome as Refusal).failure).toMatchObject({ kind: 'encoding', side: 'result', path })
  })
})

describe('what ends a generator early', () => {
  const endings: string[] = []
  const failing = {
    *sync() {
      try {
        yield 1n
      } finally {
        endings.push('sync')
      }
    },
    async *async() {
      try {
        for (;;) yield 1
      } finally {
        endings.push('async')
      }
    },
  }

  test('runs its `finally` blocks: a value that JSON cannot carry', async () => {
    expect(await readGenerator(failing.sync(), { reply: 'json' }, contextOf(), idle)).toBeInstanceOf(Refusal)
    expect(endings.splice(0)).toEqual(['sync'])
  })

  test('runs its `finally` blocks: the signal of its item', async () => {
    const context = contextOf()
    const reading = readGenerator(failing.async(), { reply: 'values' }, context, idle)
    expect(context.listens).toBe(true)
    context.abort('it took too long', 'TimeoutError')
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError', message: 'it took too long' })
    expect(endings.splice(0)).toEqual(['async'])
  })

  test('the signal of its item arrives although it never waits for the event loop', async () => {
    const context = contextOf()
    const eventLoop = {
      isYieldDue: true,
      yieldToEventLoop: async () => context.abort('it took too long', 'TimeoutError'),
    }
    const reading = readGenerator(failing.async(), { reply: 'values' }, context, eventLoop)
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(endings.splice(0)).toEqual(['async'])
  })
})

test.each(['json', 'values'] as const)('all that it yields must fit into a text: %s', (reply) => {
  const megabyte = 'x'.repeat(1024 * 1024)
  let yielded = 0
  const endless = function* () {
    for (; ; yielded++) yield megabyte
  }
  const outcome = readGenerator(endless(), { reply }, contextOf(), idle) as Refusal
  expect(outcome.failure).toMatchObject({
    kind: 'encoding',
    message: expect.stringContaining('longer than 512 MiB'),
  })
  expect(yielded).toBeLessThan(520)
})
