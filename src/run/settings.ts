// What a plan's command means for the stages: which policy, which window, how the task is called.
import { CHUNK_BYTES } from '../defaults.js'
import type { Counts, TaskSpec } from '../model.js'
import type { FailureLimit, RunPlan } from '../plan.js'
import type { WindowLimits } from '../policy/flow-window.js'
import { collect, failFast, lazy, type Policy } from '../policy/policy.js'

/** Items on the way by default: enough for cheap ones to flow while one in front takes its time. */
const WINDOW_ITEMS = 100_000
/**
 * Text of items and results on the way, whatever their number: what keeps memory flat. Garbage between two collections
 * comes on top of it, some 64 MiB.
 */
const WINDOW_BYTES = 32 * 1024 * 1024
/** Of these, as long as nothing but the reader is waited for. */
const WINDOW_BYTES_BEHIND = 8 * 1024 * 1024
/** Each worker holds some chunks, whose results wait for their turn. */
const WINDOW_BYTES_PER_WORKER = 5 * CHUNK_BYTES

/** Items that must have settled before a percentage of them is a percentage. */
const SAMPLE = 100

export function taskFor({ command, job, verbosity, envelope, reports }: RunPlan): TaskSpec {
  const calling = command === 'starmap' || command === 'apply' ? 'spread' : 'item'
  // What shows how long each item took asks for it.
  const timed = verbosity === 'verbose' || envelope || reports.length > 0
  return { name: job.exportName, calling, reply: 'json', ...(timed && { timed }) }
}

export function windowFor({ bufferSize, processes }: RunPlan): WindowLimits {
  const least = processes * WINDOW_BYTES_PER_WORKER
  const bytes = Math.max(WINDOW_BYTES, least)
  return { items: bufferSize ?? WINDOW_ITEMS, bytes, bytesBehind: Math.max(WINDOW_BYTES_BEHIND, least) }
}

/**
 * A malformed JSON document ends every run, `collect` too: behind the fault nothing can be trusted. A bad line of
 * NDJSON is one failed item to `collect`, and the end of the input to the others.
 */
export function policyFor({ command, maxFailures }: RunPlan): Policy {
  switch (command) {
    case 'map':
    case 'starmap':
    case 'apply':
      return failFast
    case 'imap':
    case 'imap-unordered':
      return lazy
    case 'collect': {
      const policy = collect(
        maxFailures === undefined ? undefined : (counts, total) => reached(maxFailures, counts, total),
      )
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
    default:
      return command satisfies never
  }
}

/** A share of all items where their number is known, else of those that settled, once that says something. */
function reached(limit: FailureLimit, { ok, failed }: Counts, total: number | undefined): boolean {
  if ('count' in limit) return failed >= limit.count
  const of = total ?? Math.max(ok + failed, SAMPLE)
  return failed * 100 >= limit.percent * of
}
