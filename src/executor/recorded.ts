// From what the flight recorder of a worker shows to what the scheduler takes.
import type { FlightRecord, RecordedOutcome } from '../ipc/flight-recorder/reader.js'
import type { ResultsMessage } from '../ipc/protocol.js'
import type { Ms, Results } from '../model.js'
import type { ExitRecord, RunningItem } from './scheduler/messages.js'

/** `elapsed`: time since a moment on the clock that the workers share. */
export function toRunningItems({ running }: FlightRecord, elapsed: (since: Ms) => Ms): RunningItem[] {
  return running.map(({ since, ...item }) => ({ ...item, forMs: elapsed(since) }))
}

export function toExitRecord(record: FlightRecord, elapsed: (since: Ms) => Ms): ExitRecord {
  return {
    outcomes: record.outcomes.map(toResults),
    running: toRunningItems(record, elapsed),
    begun: [...record.begun].map(([id, upTo]) => ({ id, upTo })),
    unrecorded: record.unrecorded,
  }
}

/** The message that the worker would have sent for this one item. */
function toResults(outcome: RecordedOutcome): ResultsMessage {
  const { id, offset } = outcome
  const failures = 'failure' in outcome ? [{ offset, failure: outcome.failure }] : []
  const results: Results =
    'text' in outcome
      ? { kind: 'json', bytes: Buffer.from(`${outcome.text}\n`) }
      : { kind: 'values', values: ['value' in outcome ? outcome.value : undefined] }
  return { id, from: offset, count: 1, results, failures, busyMs: 0 }
}
