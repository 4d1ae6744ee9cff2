import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { failureWithAdvice } from '../../../src/worker/should-retry.js'
import { chunkOfValues, outcomesOf, setUpRunner } from './support.js'

async function adviceFor(shouldRetry: (error: unknown) => unknown) {
  const warnings: string[] = []
  const failure = await failureWithAdvice(new Error('busy'), shouldRetry, (message) => warnings.push(message))
  expect(failure).toMatchObject({ kind: 'error', error: { message: 'busy' } })
  return { retry: failure.kind === 'error' ? failure.retry : undefined, warnings }
}

function revokedProxy() {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('an answer of shouldRetry', () => {
  test.each([
    [true, undefined],
    [false, 'never'],
    [0, { afterMs: 0, everyone: false }],
    [1_500, { afterMs: 1_500, everyone: false }],
    [{ after: 20 }, { afterMs: 20, everyone: false }],
    [
      { after: 20, everyone: true },
      { afterMs: 20, everyone: true },
    ],
  ])('%j', async (answer, retry) => {
    expect(await adviceFor(() => answer)).toEqual({ retry, warnings: [] })
    expect(await adviceFor(async () => answer)).toEqual({ retry, warnings: [] })
  })

  test.each([
    undefined,
    null,
    'true',
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
    {},
    { after: -1 },
    { after: '5' },
    { after: 5, everyone: 'yes' },
    [5],
  ])('that is none makes the failure final, with a warning: %o', async (answer) => {
    const { retry, warnings } = await adviceFor(() => answer)
    expect(retry).toBe('never')
    expect(warnings).toEqual([expect.stringMatching(/^shouldRetry returned .*: the failure is final$/s)])
  })

  test.each([
    [
      'a getter that throws',
      {
        get after() {
          throw new TypeError('oops')
        },
      },
    ],
    ['a revoked proxy', revokedProxy()],
    [
      'an object that cannot be shown',
      {
        [inspect.custom]() {
          throw new TypeError('oops')
        },
      },
    ],
  ])('that cannot be read makes the failure final, with a warning: %s', async (_name, answer) => {
    const { retry, warnings } = await adviceFor(() => answer)
    expect(retry).toBe('never')
    expect(warnings).toEqual([
      expect.stringMatching(/^shouldRetry (threw|returned) .*: the failure is final$/s),
    ])
  })

  test('that is thrown makes the failure final, with a warning', async () => {
    const { retry, warnings } = await adviceFor(() => {
      throw new TypeError('oops')
    })
    expect(retry).toBe('never')
    expect(warnings).toEqual([
      expect.stringMatching(
        /^shouldRetry threw TypeError: oops \(at .*should-retry\.test\.ts.*\): the failure is final$/,
      ),
    ])
  })
})

describe('shouldRetry', () => {
  const task = (n: unknown) => {
    if (n === 1) throw new Error('sync')
    return n === 2 ? Promise.reject(new Error('async')) : n
  }

  test('is called with the error and the context of its item, where another attempt is left', async () => {
    const calls: unknown[] = []
    const shouldRetry = (error: unknown, context: unknown) => {
      const { index, attempt } = context as { index: number; attempt: number }
      calls.push([(error as Error).message, index, attempt])
      return false
    }
    const { runAll } = setUpRunner(task, { shouldRetry })
    const chunk = { ...chunkOfValues([0, 1, 2, 3], { attempt: 2 }), mayRetry: true }
    expect(outcomesOf(await runAll(chunk), chunk.id)).toMatchObject([
      0,
      { message: 'sync' },
      { message: 'async' },
      3,
    ])
    expect(calls).toEqual([
      ['sync', 1, 2],
      ['async', 2, 2],
    ])
    await runAll(chunkOfValues([0, 1, 2, 3]))
    expect(calls).toHaveLength(2)
  })

  test('that pauses everyone sends the failure, then returns what has not begun', async () => {
    const { runAll, sent, returned } = setUpRunner(task, {
      shouldRetry: () => ({ after: 9, everyone: true }),
    })
    const chunk = { ...chunkOfValues([0, 1, 2, 3]), mayRetry: true }
    await runAll(chunk)
    expect(sent.flatMap(({ failures }) => failures)).toMatchObject([
      { offset: 1, failure: { retry: { afterMs: 9, everyone: true } } },
    ])
    expect(returned).toEqual([{ kept: { [chunk.id]: 2 }, waits: false }])
  })
})
