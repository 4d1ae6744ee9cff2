// What becomes of the chunks that were in a worker when it exited: some items fail with it, the others run elsewhere. What
// the exit means for each chunk is judged in crash.ts.
import { isOver, type ScheduledCall } from './call.js'
import type { CallTable } from './calls.js'
import type { InFlightChunk } from './chunk-queue.js'
import {
  begunUpTo,
  type CrashJudgement,
  crashFailure,
  type ExitFacts,
  isUnexplained,
  judgeCrash,
} from './crash.js'
import type { InFlight } from './in-flight.js'
import type { WorkerIdentity } from './settled-range.js'

/**
 * After everything that the flight record holds has settled. Returns whether the exit is the fault of an item, or needs no
 * explanation because its call has ended.
 */
export function failOrRequeueLost(
  calls: CallTable,
  worker: WorkerIdentity,
  { chunks, begunCount }: InFlight,
  facts: ExitFacts,
): boolean {
  const judgements = chunks.map(({ id, pending, settled, since }, i) => {
    const canHaveBegun = i < begunCount
    return judgeCrash({ id, count: pending.chunk.count, settled, since, canHaveBegun }, facts)
  })
  const areSuspects = isUnexplained({ facts, judgements })
  let isItemToBlame = false
  for (const [i, chunk] of chunks.entries()) {
    if (isOver(chunk.call)) {
      cancelRest(calls, worker, chunk, facts)
      isItemToBlame = true
    } else if (areSuspects) {
      if (requeueSuspect(calls, worker, chunk, facts)) isItemToBlame = true
    } else {
      applyJudgement(calls, worker, chunk, judgements[i]!, facts)
      if (judgements[i]!.failed.length > 0) isItemToBlame = true
    }
  }
  return isItemToBlame
}

function cancelRest(
  calls: CallTable,
  worker: WorkerIdentity,
  chunk: InFlightChunk,
  { exit: { record }, now }: ExitFacts,
): void {
  const { id, pending, settled, since } = chunk
  const upTo = chunk.begun ?? begunUpTo({ id, count: pending.chunk.count, settled }, record)
  const ms = record?.running.find((item) => item.id === id)?.forMs ?? now - since
  calls.cancel(worker, chunk, upTo, ms)
}

/** Returns whether its one item is to blame: it was alone in its worker, twice. */
function requeueSuspect(
  calls: CallTable,
  worker: WorkerIdentity,
  chunk: InFlightChunk,
  facts: ExitFacts,
): boolean {
  const { id, pending, settled, since } = chunk
  const isToBlame = pending.isSuspect && pending.chunk.count - settled === 1
  if (isToBlame)
    calls.fail(worker, chunk, settled, crashFailure(id, settled, facts.now - since, facts), facts.now)
  else calls.requeueSuspects(chunk, settled)
  return isToBlame
}

function applyJudgement(
  calls: CallTable,
  worker: WorkerIdentity,
  chunk: InFlightChunk,
  { failed, requeueFrom, requeueAs }: CrashJudgement,
  { now }: ExitFacts,
): void {
  for (const { offset, failure } of failed) {
    // It did nothing wrong: where retries were requested, this one costs no attempt.
    const isFree = failure.kind === 'crash' && failure.because !== undefined && isRetryRequested(chunk.call)
    if (isFree) calls.requeue(chunk, offset, offset + 1, worker)
    else calls.fail(worker, chunk, offset, failure, now)
  }
  if (requeueAs === 'singles') calls.requeueSingles(chunk, requeueFrom, worker)
  else {
    const crashed = requeueAs === 'recorded' ? worker : undefined
    calls.requeue(chunk, requeueFrom, chunk.pending.chunk.count, crashed)
  }
}

function isRetryRequested({ retry: { retries, on } }: ScheduledCall): boolean {
  return retries > 0 && on.includes('crash')
}
