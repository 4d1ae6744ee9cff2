import { describe, expect, it, test } from 'vitest'
import {
  begunUpTo,
  type CrashJudgement,
  type ExitFacts,
  judgeCrash,
  judgeExit,
  type LostChunk,
} from '../../../../src/executor/scheduler/crash.js'
import type { ExitRecord, WorkerExit } from '../../../../src/executor/scheduler/messages.js'

/** Five items, of which two have settled; the worker sent something 300 ms ago. */
const CHUNK: LostChunk = { id: 7, count: 5, settled: 2, since: 700, canHaveBegun: true }
const NOW = 1_000

const KILLED: WorkerExit = { exitCode: null, signal: 'SIGKILL', stderrTail: ['last line'] }
const UNCAUGHT = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const
const NOTICE = { uncaughtError: UNCAUGHT, exitCallStack: undefined }
const LATE = { id: 7, offset: 3, index: 13, timeoutMs: 250 }
const TIMED_OUT = { kind: 'timeout', late: [LATE] } as const

const NOTHING: ExitRecord = { outcomes: [], running: [], unrecorded: [] }
const RUNNING_3: ExitRecord = { ...NOTHING, running: [{ id: 7, offset: 3, forMs: 40 }] }
const UNRECORDED: ExitRecord = { ...NOTHING, unrecorded: [7] }
const OTHERS: ExitRecord = { ...NOTHING, running: [{ id: 6, offset: 4, forMs: 1 }], unrecorded: [8] }

type Case = Partial<Omit<ExitFacts, 'exit'>> & {
  readonly record?: ExitRecord | undefined
  readonly chunk?: Partial<LostChunk>
}

function judge({ record, chunk, ...facts }: Case): CrashJudgement {
  const exit = { ...KILLED, record }
  return judgeCrash(
    { ...CHUNK, ...chunk },
    { exit, reason: undefined, notice: undefined, now: NOW, ...facts },
  )
}

/** `2 crash, 3 timeout | 4… unchanged` */
function summary({ failed, requeueFrom, requeueAs }: CrashJudgement): string {
  const items = failed.map(({ offset, failure }) => `${offset} ${failure.kind}`).join(', ')
  return `${items === '' ? 'none' : items} | ${requeueFrom}… ${requeueAs}`
}

const prefetched = { canHaveBegun: false }
const lastItem = { settled: 4 }

describe('judgeCrash', () => {
  test.each<[situation: string, facts: Case, expected: string]>([
    // The record names the item that ran: it fails, and so do those before it whose outcomes were lost.
    ['recorded, running, first', { record: RUNNING_3 }, '2 crash, 3 crash | 4… unchanged'],
    [
      'recorded, running, prefetched',
      { record: RUNNING_3, chunk: prefetched },
      '2 crash, 3 crash | 4… unchanged',
    ],
    [
      'recorded, running, uncaught error',
      { record: RUNNING_3, notice: NOTICE },
      '2 crash, 3 crash | 4… unchanged',
    ],
    [
      'recorded, running, timed out',
      { record: RUNNING_3, reason: TIMED_OUT },
      '2 crash, 3 timeout | 4… unchanged',
    ],
    [
      'recorded, running behind the timed-out item',
      { record: { ...NOTHING, running: [{ id: 7, offset: 4, forMs: 1 }] }, reason: TIMED_OUT },
      '2 crash, 3 timeout, 4 crash | 5… unchanged',
    ],
    // Every item is recorded and none was running: the chunk had not begun, or was between two items.
    ['recorded, between, first', { record: NOTHING }, 'none | 2… unchanged'],
    ['recorded, between, prefetched', { record: NOTHING, chunk: prefetched }, 'none | 2… unchanged'],
    ['recorded, between, last item', { record: NOTHING, chunk: lastItem }, 'none | 4… unchanged'],
    ['recorded, between, uncaught error', { record: NOTHING, notice: NOTICE }, 'none | 2… unchanged'],
    [
      'recorded, between, timed out',
      { record: NOTHING, reason: TIMED_OUT },
      '2 crash, 3 timeout | 4… unchanged',
    ],
    [
      'recorded, prefetched, timed out',
      { record: NOTHING, reason: TIMED_OUT, chunk: prefetched },
      '2 crash, 3 timeout | 4… unchanged',
    ],
    ['recorded, only other chunks in the record', { record: OTHERS }, 'none | 2… unchanged'],
    [
      'recorded, running item has settled',
      { record: { ...NOTHING, running: [{ id: 7, offset: 1, forMs: 9 }] } },
      'none | 2… unchanged',
    ],
    // The chunk had begun, and nothing shows which of its items ran: they run again, recorded.
    ['unrecorded, first', { record: UNRECORDED }, 'none | 2… recorded'],
    ['unrecorded, prefetched', { record: UNRECORDED, chunk: prefetched }, 'none | 2… recorded'],
    ['unrecorded, last item', { record: UNRECORDED, chunk: lastItem }, 'none | 4… recorded'],
    ['unrecorded, uncaught error', { record: UNRECORDED, notice: NOTICE }, '2 crash | 3… unchanged'],
    [
      'unrecorded, prefetched, uncaught error',
      { record: UNRECORDED, notice: NOTICE, chunk: prefetched },
      '2 crash | 3… unchanged',
    ],
    ['unrecorded, timed out', { record: UNRECORDED, reason: TIMED_OUT }, '2 crash, 3 timeout | 4… unchanged'],
    // Without a recorder any of the items may have run, unless there is only one left.
    ['no recorder, first', {}, 'none | 2… singles'],
    ['no recorder, last item', { chunk: lastItem }, '4 crash | 5… recorded'],
    ['no recorder, uncaught error', { notice: NOTICE }, '2 crash | 3… unchanged'],
    ['no recorder, prefetched, uncaught error', { notice: NOTICE, chunk: prefetched }, 'none | 2… unchanged'],
    // Cheap items run ahead of what the worker has sent: a prefetched chunk may have begun, too.
    ['no recorder, prefetched', { chunk: prefetched }, 'none | 2… recorded'],
    ['no recorder, last item, prefetched', { chunk: { ...prefetched, ...lastItem } }, 'none | 4… recorded'],
    ['no recorder, timed out', { reason: TIMED_OUT }, '2 crash, 3 timeout | 4… recorded'],
    [
      'no recorder, prefetched, timed out',
      { reason: TIMED_OUT, chunk: prefetched },
      '2 crash, 3 timeout | 4… recorded',
    ],
    // A timeout that is about something else changes nothing.
    [
      'no recorder, other chunk timed out',
      { reason: { kind: 'timeout', late: [{ ...LATE, id: 6 }] } },
      'none | 2… singles',
    ],
    [
      'no recorder, timed-out item has settled',
      { reason: { kind: 'timeout', late: [{ ...LATE, offset: 1 }] } },
      'none | 2… singles',
    ],
    // Terminated for its memory or because it was stuck.
    [
      'recorded, running, out of memory',
      { record: RUNNING_3, reason: { kind: 'oom' } },
      '2 oom, 3 oom | 4… unchanged',
    ],
    ['recorded, between, out of memory', { record: NOTHING, reason: { kind: 'oom' } }, 'none | 2… unchanged'],
    ['recorded, between, stuck', { record: NOTHING, reason: { kind: 'stuck' } }, 'none | 2… unchanged'],
  ])('%s', (_, facts, expected) => {
    expect(summary(judge(facts))).toBe(expected)
  })

  it('gives the exit, the last lines of stderr and the running time that the record shows', () => {
    expect(judge({ record: RUNNING_3 }).failed[1]).toEqual({
      offset: 3,
      failure: { kind: 'crash', exitCode: null, signal: 'SIGKILL', afterMs: 40, stderrTail: ['last line'] },
    })
  })

  it('takes the time since the worker last sent something where the record shows none', () => {
    expect(judge({ chunk: lastItem }).failed[0]?.failure).toMatchObject({ afterMs: 300 })
  })

  it('gives the timeout of the item that exceeded it', () => {
    const failure = { kind: 'timeout', timeoutMs: 250, ended: 'killed' }
    expect(judge({ reason: TIMED_OUT }).failed[1]?.failure).toEqual(failure)
  })

  it('says of a worker that left when it was asked to that it was ended, not killed', () => {
    const exit = { exitCode: 0, signal: null, stderrTail: [], record: RUNNING_3 }
    const { failed } = judgeCrash(CHUNK, { exit, reason: TIMED_OUT, notice: undefined, now: NOW })
    expect(failed[1]?.failure).toMatchObject({ kind: 'timeout', ended: 'ended' })
  })

  it('names the item for which the worker had to end to those that were lost with it', () => {
    const reason = { kind: 'timeout', late: [{ ...LATE, id: 6 }, LATE] } as const
    const [lost, late] = judge({ reason, record: RUNNING_3 }).failed
    expect(lost?.failure).toMatchObject({ kind: 'crash', because: { index: 13, timeoutMs: 250 } })
    expect(late?.failure).toMatchObject({ kind: 'timeout' })
  })

  it('adds what the worker announced', () => {
    const notice = { uncaughtError: UNCAUGHT, exitCallStack: 'at task' }
    expect(judge({ notice }).failed[0]?.failure).toMatchObject({ escaped: UNCAUGHT, exitSite: 'at task' })
    expect(judge({ notice: NOTICE }).failed[0]?.failure).not.toHaveProperty('exitSite')
  })

  it('recognises V8’s own message as out of memory', () => {
    const stderrTail = ['FATAL ERROR: Reached heap limit', 'JavaScript heap out of memory', 'at …']
    const exit = { exitCode: null, signal: 'SIGABRT', stderrTail, record: RUNNING_3 }
    const { failed } = judgeCrash(CHUNK, { exit, reason: undefined, notice: undefined, now: NOW })
    expect(failed.map(({ failure }) => failure.kind)).toEqual(['oom', 'oom'])
  })
})

describe('judgeExit', () => {
  test.each([
    ['starting', undefined, null, false, 'startup'],
    ['starting', undefined, null, true, 'startup'],
    ['starting', undefined, 'SIGKILL', false, 'startup'],
    ['starting', undefined, 'SIGKILL', true, 'crash'],
    ['ready', undefined, null, true, 'crash'],
    ['ready', undefined, 'SIGSEGV', true, 'crash'],
    ['stopping', undefined, null, true, 'expected'],
    ['stopping', undefined, 'SIGKILL', true, 'expected'],
    ['terminating', undefined, 'SIGKILL', true, 'expected'],
    ['terminating', 'oom', 'SIGTERM', true, 'expected'],
    ['terminating', 'timeout', 'SIGTERM', true, 'expected'],
    ['terminating', 'stuck', 'SIGKILL', true, 'crash'],
    ['terminating', 'channel', 'SIGKILL', true, 'crash'],
  ] as const)(
    '%s, reason %s, signal %s, job has loaded %s: %s',
    (state, kind, signal, jobHasLoaded, expected) => {
      const reason = kind === 'timeout' ? TIMED_OUT : kind && { kind }
      expect(judgeExit({ state, reason, signal, jobHasLoaded })).toBe(expected)
    },
  )

  test.each([
    ['boot', 'SIGTERM', 'crash'],
    ['boot', 'SIGINT', 'crash'],
    ['boot', 'SIGHUP', 'crash'],
    ['boot', 'SIGKILL', 'startup'],
    ['boot', 'SIGSEGV', 'startup'],
    ['boot', null, 'startup'],
    ['load', 'SIGTERM', 'startup'],
    ['initializer', 'SIGTERM', 'startup'],
  ] as const)('of the first worker, in its phase %s, signal %s: %s', (phase, signal, expected) => {
    const exit = { state: 'starting', phase, reason: undefined, signal, jobHasLoaded: false } as const
    expect(judgeExit(exit)).toBe(expected)
  })
})

describe('begunUpTo', () => {
  test.each<[situation: string, record: ExitRecord | undefined, upTo: number]>([
    ['running', RUNNING_3, 4],
    ['running, of another chunk', OTHERS, 2],
    ['ended, its outcome not sent', { ...NOTHING, begun: [{ id: 7, upTo: 3 }] }, 3],
    ['between two items, all of them sent', { ...NOTHING, begun: [{ id: 7, upTo: 1 }] }, 2],
    ['not in the record: it never began', NOTHING, 2],
    ['unrecorded: all of it may have begun', UNRECORDED, 5],
    ['no record: all of it may have begun', undefined, 5],
  ])('of a chunk whose item was %s', (_, record, upTo) => {
    expect(begunUpTo(CHUNK, record)).toBe(upTo)
  })
})
