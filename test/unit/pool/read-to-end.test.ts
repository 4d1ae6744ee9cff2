// All results of a call, or its error, against a flow that the test defines.
import { describe, expect, test } from 'vitest'
import { PoolStateError } from '../../../src/errors/classes.js'
import { captureCallSite } from '../../../src/errors/stacks.js'
import type { ItemFailure, SettledRange } from '../../../src/model.js'
import { valuesOf } from '../../../src/pool/outcome.js'
import type { PoolCall } from '../../../src/pool/pool-core.js'
import { readToEnd } from '../../../src/pool/read-to-end.js'
import { range } from '../../helpers/iterables.js'

const settled = (results: SettledRange['results'], seq = 0) =>
  ({ chunk: { seq, count: 1 }, results }) as unknown as SettledRange

function callOf(next: () => SettledRange | undefined, more: object = {}): PoolCall {
  return { flow: { next: async () => next() }, wasCutShort: false, ...more } as unknown as PoolCall
}

/** The error that the outcome makes, which shows this caller. */
function makeError(outcome: Awaited<ReturnType<typeof readToEnd>>): unknown {
  function get() {
    return captureCallSite(get)
  }
  if (outcome.ok) throw new TypeError('the call succeeded')
  return outcome.makeError(get())
}

const errorOf = (thrown: unknown) => thrown

describe('readToEnd', () => {
  test('joins the values of all ranges in order, however many there are', async () => {
    const values = range(40_000)
    let next = 0
    const call = callOf(() =>
      next < values.length ? settled({ kind: 'values', values: [values[next++]] }) : undefined,
    )
    expect(await readToEnd(call, errorOf)).toEqual({ ok: true, value: values })
  })

  test('succeeds with an empty array for an empty input', async () => {
    expect(
      await readToEnd(
        callOf(() => undefined),
        errorOf,
      ),
    ).toEqual({ ok: true, value: [] })
  })

  test('fails with what the flow threw, through errorOf', async () => {
    const call = callOf(() => {
      throw undefined
    })
    const outcome = await readToEnd(call, (thrown) => ['made', thrown])
    expect(makeError(outcome)).toEqual(['made', undefined])
  })

  test('fails with a new error of the item for which the flow stopped, each time', async () => {
    const failure: ItemFailure = {
      ...{ offset: 2, workerId: 0, pid: 9, attempts: 1 },
      failure: { kind: 'timeout', timeoutMs: 5 },
    }
    const stopped = { failure, settled: settled({ kind: 'values', values: [] }, 40) }
    const outcome = await readToEnd(
      callOf(() => undefined, { flow: { next: async () => undefined, stopped } }),
      errorOf,
    )
    const error = makeError(outcome) as Error
    expect(error).toMatchObject({ name: 'TimeoutError', index: 42 })
    expect(error.stack).toContain('at makeError')
    expect(makeError(outcome)).not.toBe(error)
  })

  test('fails with PoolStateError if the pool was closed before the input ended', async () => {
    const outcome = await readToEnd(
      callOf(() => undefined, { wasCutShort: true }),
      errorOf,
    )
    expect(makeError(outcome)).toBeInstanceOf(PoolStateError)
  })
})

test('valuesOf throws for a range of JSON lines', () => {
  expect(() => valuesOf(settled({ kind: 'json', bytes: new Uint8Array() }))).toThrow(TypeError)
})
