// What a plan means for the stages: which policy, how large the flow window, how the task is called.
import { BUFFER_BYTES, BUFFER_ITEMS, CHUNK_BYTES } from '../defaults.js'
import type { Counts, TaskSpec } from '../model.js'
import { compareToLimit, isTable, type RunPlan } from '../plan.js'
import type { WindowLimits } from '../policy/flow-window.js'
import { collect, failFast, lazyOverGaps, type Policy } from '../policy/policy.js'

/** Limit in bytes while everything waits for the reader, instead of `BUFFER_BYTES`. */
const WINDOW_BYTES_BEHIND = 8 * 1024 * 1024
/** For each worker at least this: some chunks in flight, and the results of others that wait to be delivered. */
const WINDOW_BYTES_PER_WORKER = 5 * CHUNK_BYTES

/** A percentage of an unknown number of items is one of at least this many: 1 failure of 2 is no 50% yet. */
const MIN_SAMPLE_ITEMS = 100

export function taskFor(plan: RunPlan): TaskSpec {
  const { command, exec, job, verbosity, envelope, reports, format } = plan
  const spreads = command === 'starmap' || (command === 'apply' && exec === undefined)
  const calling = spreads ? 'spread' : 'item'
  // Timings cost one or two numbers per item on the way back: only for output that shows them.
  const timed = reports.length > 0 || ((verbosity === 'verbose' || envelope) && 'durations')
  const rows = isTable(format)
  return {
    name: job.exportName,
    calling,
    reply: 'json',
    ...(rows && { rows }),
    ...(hasRawLines(plan) && { raw: true }),
    ...(timed !== false && { timed }),
  }
}

/** Results of workers are raw lines: nothing but the output reads them. */
export function hasRawLines({ format, journal, callbacks, merges }: RunPlan): boolean {
  return format === 'raw' && (journal ?? callbacks ?? merges) === undefined
}

export function windowFor({ bufferSize, processes }: RunPlan): WindowLimits {
  const least = processes * WINDOW_BYTES_PER_WORKER
  const bytes = Math.max(BUFFER_BYTES, least)
  return { items: bufferSize ?? BUFFER_ITEMS, bytes, bytesBehind: Math.max(WINDOW_BYTES_BEHIND, least) }
}

export function policyFor(plan: RunPlan): Policy {
  const policy = policyOf(plan)
  return plan.exec === undefined ? policy : endingAtMissingCommand(policy)
}

/** It ends the run in another way (`run/commands`), not as a failed item. */
function endingAtMissingCommand(policy: Policy): Policy {
  return {
    ...policy,
    onSettle(failed, settled, counts, total) {
      const isMissing = failed.failure.kind === 'error' && failed.failure.missingCommand !== undefined
      return isMissing && counts.ok === 0 ? 'continue' : policy.onSettle(failed, settled, counts, total)
    },
  }
}

function policyOf({ command, maxFailures }: RunPlan): Policy {
  switch (command) {
    case 'map':
    case 'starmap':
    case 'apply':
      return failFast
    case 'imap':
    case 'imap-unordered':
      return lazyOverGaps
    case 'collect':
      return endingAtMalformedJson(collect(maxFailures && tooMany(maxFailures)))
    default:
      return command satisfies never
  }
}

function tooMany(maxFailures: NonNullable<RunPlan['maxFailures']>) {
  return ({ ok, failed }: Counts, total: number | undefined): boolean => {
    // A percentage of all items, where their number is known; otherwise of those that have settled.
    const items = total ?? Math.max(ok + failed, MIN_SAMPLE_ITEMS)
    return compareToLimit(maxFailures, failed, items) >= 0
  }
}

/**
 * A malformed JSON document ends every run: nothing behind the error can be trusted. A malformed line of NDJSON is one
 * failed item to `collect`.
 */
function endingAtMalformedJson(policy: Policy): Policy {
  return {
    ...policy,
    onDeliver(failure, settled) {
      const { payload } = settled.chunk
      const malformed =
        failure.failure.kind === 'input' && payload.kind === 'bytes' && payload.framing === 'json'
      return malformed ? 'raise' : policy.onDeliver(failure, settled)
    },
  }
}
