// The right end of a run: takes what is delivered, writes results, tells failures. Knows nothing of processes.
import type { InputError } from '../errors/classes.js'
import { makeItemError } from '../errors/item-error.js'
import { locate } from '../framing/position.js'
import { sliceLines } from '../framing/slice.js'
import { type ItemFailure, indexOf, type RunEvent, type Settled, type Verdict } from '../model.js'
import type { Policy } from '../policy/policy.js'
import type { Output } from '../write/output.js'
import { createSpool } from '../write/spool.js'
import { createWriter, type Writer } from '../write/writer.js'
import type { Flow } from './flow.js'
import type { RunPlan } from './plan.js'

export interface Consumption {
  readonly plan: RunPlan
  readonly policy: Policy
  readonly flow: Flow
  readonly output: Output
  readonly emit: (event: RunEvent) => void
}

/** Resolves when everything that is to be written has left, also after a failure that ended the run. */
export async function consume({ plan, policy, flow, output, emit }: Consumption): Promise<void> {
  const fail = (settled: Settled, failure: ItemFailure, verdict: Verdict) => {
    // Input that is no input is no item's failure: it ends the run with its own code.
    if (verdict !== 'skip' && failure.failure.kind === 'input') throw inputError(settled, failure)
    emit({ type: 'item-failed', settled, failure, verdict })
  }

  if (policy.name === 'fail-fast') {
    const spool = createSpool()
    try {
      const writer = createWriter({ format: plan.format, single: plan.command === 'apply' }, spool)
      for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
        await writer.write(linesOf(settled))
      if (flow.stopped !== undefined) return fail(flow.stopped.settled, flow.stopped.failure, 'stop')
      // All or nothing.
      if (flow.drained) return
      await writer.end()
      await spool.drainTo(output)
    } finally {
      await spool.discard()
    }
    return output.end()
  }

  const writer = createWriter({ format: plan.format }, output)
  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      if (!(await deliver(settled, policy, flow, writer, fail))) break
  } finally {
    // What was written stays a whole document, whatever ended the run.
    await writer.end()
    await output.end()
  }
}

/** False when a failure ended the run. */
async function deliver(
  settled: Settled,
  policy: Policy,
  flow: Flow,
  writer: Writer,
  fail: (settled: Settled, failure: ItemFailure, verdict: Verdict) => void,
): Promise<boolean> {
  const lines = linesOf(settled)
  let written = 0
  for (const [place, failure] of settled.failures.entries()) {
    const upTo = failure.offset - settled.from - place
    if (upTo > written) await writer.write(sliceLines(lines, written, upTo))
    written = upTo
    const verdict = policy.onDeliver(failure, settled)
    // The failure that reached `--max-failures`: those before it were delivered, those that had settled still are.
    const last = flow.stopped?.failure === failure
    fail(settled, failure, last ? 'stop' : verdict)
    if (verdict === 'raise') return false
  }
  await writer.write(written === 0 ? lines : sliceLines(lines, written, settled.count))
  return true
}

function linesOf({ results }: Settled): Uint8Array {
  if (results.kind === 'json') return results.bytes
  throw new TypeError('the command line asks its workers for JSON')
}

function inputError({ chunk }: Settled, failure: ItemFailure): InputError {
  const at = failure.failure.kind === 'input' ? failure.failure.at : 0
  const place = locate(chunk, failure.offset, at)
  const position = place === undefined ? undefined : `${place.file}:${place.line}:${place.column}`
  return makeItemError({ index: indexOf(chunk, failure.offset), position }, failure) as InputError
}
