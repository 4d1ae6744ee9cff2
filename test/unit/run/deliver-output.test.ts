import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import type { Counts, Failure, RunEvent, SettledRange } from '../../../src/model.js'
import type { RunPlan } from '../../../src/plan.js'
import { collect, failFast, lazy, lazyOverGaps, type Policy } from '../../../src/policy/policy.js'
import { deliverOutput, reportSkipped } from '../../../src/run/deliver-output.js'
import type { Flow } from '../../../src/run/flow.js'
import type { Output } from '../../../src/write/output.js'
import { bytesChunk, settledRange, valuesChunk } from '../policy/ranges.js'

interface FakeOutput extends Output {
  readonly text: string
  readonly ended: boolean
}

function fakeOutput(error?: Error): FakeOutput {
  const state = { text: '', ended: false }
  return {
    failed: new Promise(() => {}),
    written: 0,
    async write(bytes) {
      if (error !== undefined) throw error
      state.text += Buffer.from(bytes).toString()
    },
    async end() {
      state.ended = true
    },
    get text() {
      return state.text
    },
    get ended() {
      return state.ended
    },
  }
}

const COUNTS: Counts = { ok: 0, failed: 0, notRun: 0 }

/** Delivers `ranges`, then ends or throws. */
function fakeFlow(
  ranges: readonly SettledRange[],
  end: { thrown?: { error: unknown }; stopped?: SettledRange } = {},
): Flow {
  const rest = [...ranges]
  const { stopped } = end
  return {
    async next() {
      const next = rest.shift()
      if (next === undefined && end.thrown !== undefined) throw end.thrown.error
      return next
    },
    nextReady: () => undefined,
    stopped: stopped && { settled: stopped, failure: stopped.failures.at(-1)! },
    counts: COUNTS,
    reportedCounts: COUNTS,
    endedEarly: false,
    inputEnded: true,
    close: () => undefined,
    async cancel() {},
  }
}

async function run(
  policy: Policy,
  flow: Flow,
  {
    format = 'ndjson',
    command = 'imap',
    output = fakeOutput(),
    envelope = false,
  }: Partial<Omit<RunPlan, 'output'>> & { output?: FakeOutput } = {},
) {
  const events: RunEvent[] = []
  const emit = (event: RunEvent) => void events.push(event)
  /** As in a run, where a range settles before it is delivered. */
  const reporting: Flow = {
    ...flow,
    async next() {
      const settled = await flow.next()
      if (settled !== undefined) reportSkipped(settled, policy, flow.stopped?.failure, emit)
      return settled
    },
  }
  const thrown = await deliverOutput({
    plan: { command, format, envelope } as RunPlan,
    policy,
    flow: reporting,
    output,
    cwd: '/',
    emit,
  }).then(
    () => 'nothing' as const,
    (error: unknown) => ({ error }),
  )
  const failures = events.map((event) =>
    event.type === 'item-failed'
      ? `${event.settled.chunk.seq + event.failure.offset} ${event.verdict}`
      : event.type,
  )
  return { text: output.text, ended: output.ended, thrown, failures }
}

const MALFORMED: Failure = { kind: 'input', message: 'no JSON', at: 1 }

describe('collect', () => {
  test('writes what succeeded and reports what failed, wherever in its range that is', async () => {
    const ranges = [
      settledRange(bytesChunk(0, 5), { failed: [0, 2, 4] }),
      settledRange(bytesChunk(5, 2), { failed: [0, 1] }),
      settledRange(bytesChunk(7, 4), { from: 1, count: 3, failed: [2] }),
      settledRange(bytesChunk(11, 1)),
    ]
    expect(await run(collect(), fakeFlow(ranges), { command: 'collect' })).toEqual({
      text: '1\n3\n8\n10\n11\n',
      ended: true,
      thrown: 'nothing',
      failures: ['0 skip', '2 skip', '4 skip', '5 skip', '6 skip', '9 skip'],
    })
  })

  test('reports which failure stopped it, and delivers what had settled behind that one', async () => {
    const last = settledRange(bytesChunk(1, 1), { failed: [0] })
    const ranges = [settledRange(bytesChunk(0, 1), { failed: [0] }), last, settledRange(bytesChunk(3, 1))]
    const { text, failures } = await run(collect(), fakeFlow(ranges, { stopped: last }), {
      command: 'collect',
    })
    expect(failures).toEqual(['0 skip', '1 stop'])
    expect(text).toBe('3\n')
  })

  test('skips a bad line like any failed item', async () => {
    const range = settledRange(bytesChunk(0, 2), { failed: [0], failure: MALFORMED })
    expect(await run(collect(), fakeFlow([range]))).toMatchObject({ text: '1\n', failures: ['0 skip'] })
  })
})

describe('lazy', () => {
  test('writes everything before the failed item and nothing behind it', async () => {
    const ranges = [
      settledRange(bytesChunk(0, 2)),
      settledRange(bytesChunk(2, 3), { failed: [1] }),
      settledRange(bytesChunk(5, 2)),
    ]
    expect(await run(lazy, fakeFlow(ranges))).toEqual({
      text: '0\n1\n2\n',
      ended: true,
      thrown: 'nothing',
      failures: ['3 raise'],
    })
  })

  test('completes the JSON document although it stopped early', async () => {
    const range = settledRange(bytesChunk(0, 3), { failed: [2] })
    expect((await run(lazy, fakeFlow([range]), { format: 'json' })).text).toBe('[0,1]\n')
  })

  test('throws what the flow throws, after the document is complete and written', async () => {
    const flow = fakeFlow([settledRange(bytesChunk(0, 1))], { thrown: { error: undefined } })
    expect(await run(lazy, flow, { format: 'json' })).toMatchObject({
      text: '[0]\n',
      ended: true,
      thrown: { error: undefined },
    })
  })

  test('ends with the location of a malformed item, which is not a failed item', async () => {
    const chunk = { ...bytesChunk(0, 3), origin: { file: 'in.ndjson', offset: 0, line: 1, column: 1 } }
    const range = settledRange(chunk, { failed: [1], failure: MALFORMED })
    const { text, failures, thrown } = await run(lazy, fakeFlow([range]))
    expect(text).toBe('0\n')
    expect(failures).toEqual([])
    const { error } = thrown as { error: InputError }
    expect(error).toBeInstanceOf(InputError)
    expect(error.index).toBe(1)
    expect(error.message).toBe('in.ndjson:2:2: item 1: no JSON')
  })

  test('stops where the output cannot be written', async () => {
    const error = new Error('disk full')
    const flow = fakeFlow([settledRange(bytesChunk(0, 1)), settledRange(bytesChunk(1, 1))])
    expect((await run(lazy, flow, { output: fakeOutput(error) })).thrown).toEqual({ error })
  })
})

describe('lazy, in a run that ends from outside', () => {
  test('writes nothing behind the first failed item, and reports the failures behind it', async () => {
    const ranges = [
      settledRange(bytesChunk(0, 4), { failed: [1, 3] }),
      settledRange(bytesChunk(6, 2)),
      settledRange(bytesChunk(9, 2), { failed: [0] }),
    ]
    const error = new Error('deadline')
    const flow = { ...fakeFlow(ranges, { thrown: { error } }), endedEarly: true }
    expect(await run(lazyOverGaps, flow)).toEqual({
      text: '0\n',
      ended: true,
      thrown: { error },
      failures: ['1 raise', '3 raise', '9 raise'],
    })
  })
})

describe('fail-fast', () => {
  test('writes nothing before everything has succeeded', async () => {
    const output = fakeOutput()
    const written: string[] = []
    const flow = fakeFlow([settledRange(bytesChunk(0, 2)), settledRange(bytesChunk(2, 1))])
    const { next } = flow
    const observed = {
      ...flow,
      next() {
        written.push(output.text)
        return next()
      },
    }
    expect(await run(failFast, observed, { command: 'map', output })).toMatchObject({
      text: '0\n1\n2\n',
      ended: true,
    })
    expect(written).toEqual(['', '', ''])
  })

  test('writes nothing once an item failed, not even the brackets of an array', async () => {
    const stopped = settledRange(bytesChunk(3, 2), { failed: [1] })
    const flow = fakeFlow([settledRange(bytesChunk(0, 3))], { stopped })
    expect(await run(failFast, flow, { command: 'map', format: 'json' })).toEqual({
      text: '',
      ended: false,
      thrown: 'nothing',
      failures: ['4 stop'],
    })
  })

  test('writes nothing where the flow throws', async () => {
    const error = new Error('broken')
    const flow = fakeFlow([settledRange(bytesChunk(0, 1))], { thrown: { error } })
    expect(await run(failFast, flow, { command: 'map' })).toMatchObject({ text: '', thrown: { error } })
  })

  test('ends with an input error where the stopping item is malformed', async () => {
    const stopped = settledRange(bytesChunk(0, 1), { failed: [0], failure: MALFORMED })
    const { thrown, failures } = await run(failFast, fakeFlow([], { stopped }), { command: 'map' })
    expect((thrown as { error: unknown }).error).toBeInstanceOf(InputError)
    expect(failures).toEqual([])
  })

  test('writes apply’s one result as it is, in an array-valued format too', async () => {
    const flow = fakeFlow([settledRange(bytesChunk(7, 1))])
    expect((await run(failFast, flow, { command: 'apply', format: 'json' })).text).toBe('7\n')
  })
})

test('values where JSON is expected are a bug that is thrown, not written', async () => {
  const { thrown } = await run(lazy, fakeFlow([settledRange(valuesChunk(0, 1))]))
  expect((thrown as { error: unknown }).error).toBeInstanceOf(TypeError)
})
