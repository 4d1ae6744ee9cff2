// Short ways to write run events, for tests of their consumers.
import type { ItemFailure, RunEvent, SettledRange, Verdict } from '../../../src/model.js'
import { ItemCounts } from '../../../src/run/item-counts.js'
import { addEvent, type Ending, NO_NAMED_ITEMS, type Summary, summarize } from '../../../src/summary.js'

export function settled(
  first: number,
  count: number,
  failedIndexes: number[] = [],
  message = 'boom',
  frames?: string,
): SettledRange {
  return {
    chunk: {
      seq: first,
      count,
      payload: { kind: 'bytes', bytes: new Uint8Array(), framing: 'ndjson' },
    },
    from: 0,
    count,
    results: { kind: 'json', bytes: new Uint8Array() },
    failures: failedIndexes.map((index) => failure(index - first, message, frames)),
    workerId: 1,
    pid: 4131,
    attempts: 1,
  }
}

const FRAMES = '    at task (job.ts:6:11)\n    at other (job.ts:9:1)'

function failure(offset: number, message: string, frames = FRAMES): ItemFailure {
  return {
    offset,
    workerId: 1,
    pid: 4131,
    attempts: 1,
    failure: {
      kind: 'error',
      error: {
        type: 'error',
        name: 'Error',
        message,
        frames,
        builtin: 'Error',
        props: {},
      },
    },
  }
}

export function itemsSettled(first: number, count: number, failedIndexes: number[] = []): RunEvent {
  return { type: 'items-settled', settled: settled(first, count, failedIndexes) }
}

export function itemsCancelled(first: number, count: number): RunEvent {
  const { chunk, workerId, pid, attempts } = settled(first, count)
  return { type: 'items-cancelled', cancelled: { chunk, from: 0, count, workerId, pid, attempts, ms: 5 } }
}

/** An item that succeeded after one failed attempt. */
export function flakySettled(index: number): RunEvent {
  return {
    type: 'items-settled',
    settled: { ...settled(index, 1), flaky: settled(index, 1, [index]).failures },
  }
}

export function itemFailed(index: number, verdict: Verdict, message = 'boom', frames?: string): RunEvent {
  const range = settled(index, 1, [index], message, frames)
  return { type: 'item-failed', settled: range, failure: range.failures[0]!, verdict }
}

export function printed(lines: string, index?: number): RunEvent {
  const event = { type: 'worker-output', workerId: 3, pid: 7, stream: 'stdout', lines } as const
  return index === undefined ? event : { ...event, index }
}

/** The summary of a run with these events. */
export function summaryOf(events: readonly RunEvent[], ending: Ending): Summary {
  const counts = new ItemCounts()
  for (const event of events) if (event.type === 'items-settled') counts.settle(event.settled)
  return summarize(counts.snapshot(), events.reduce(addEvent, NO_NAMED_ITEMS), ending)
}
