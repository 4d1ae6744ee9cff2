// The right end of a run: takes what is delivered, writes results, tells failures. Knows nothing of processes.
import type { InputError } from '../errors/classes.js'
import { makeItemError } from '../errors/rebuild/item-error.js'
import { plainError } from '../errors/render/plain-error.js'
import { asBuffer } from '../framing/bytes.js'
import { locate, positionText } from '../framing/position.js'
import { firstLines } from '../framing/slice.js'
import { type ItemFailure, itemIndexAt, type RunEvent, type SettledRange, type Verdict } from '../model.js'
import type { RunPlan } from '../plan.js'
import type { Policy } from '../policy/policy.js'
import { envelopes, failedEnvelope } from '../write/envelope.js'
import type { Output } from '../write/output.js'
import { createSpool } from '../write/spool.js'
import { createWriter } from '../write/writer.js'
import type { Flow } from './flow.js'

export interface Consumption {
  readonly plan: RunPlan
  readonly policy: Policy
  readonly flow: Flow
  readonly output: Output
  /** Paths in errors are shown relative to it. */
  readonly cwd: string
  readonly emit: (event: RunEvent) => void
}

/** Resolves when everything that is to be written has left, also after a failure that ended the run. */
export async function deliverOutput({ plan, policy, flow, output, cwd, emit }: Consumption): Promise<void> {
  const fail = (settled: SettledRange, failure: ItemFailure, verdict: Verdict) => {
    // Input that is no input is no item's failure: it ends the run with its own code.
    if (verdict !== 'skip' && failure.failure.kind === 'input') throw inputError(settled, failure)
    emit({ type: 'item-failed', settled, failure, verdict })
  }

  if (policy.name === 'fail-fast') {
    const spool = createSpool()
    try {
      const writer = createWriter({ format: plan.format, single: plan.command === 'apply' }, spool)
      for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
        await writer.write(rowsOf(settled, plan.envelope).upTo(settled.from + settled.count))
      if (flow.stopped !== undefined) return fail(flow.stopped.settled, flow.stopped.failure, 'stop')
      // All or nothing.
      if (flow.endedEarly) return
      await writer.end()
      await spool.writeTo(output)
    } finally {
      await spool.discard()
    }
    return output.end()
  }

  const writer = createWriter({ format: plan.format }, output)

  /** False when a failure ended the run. */
  const deliver = async (settled: SettledRange): Promise<boolean> => {
    const rows = rowsOf(settled, plan.envelope)
    for (const failure of settled.failures) {
      await writer.write(rows.upTo(failure.offset))
      const verdict = policy.onDeliver(failure, settled)
      // The failure that reached `--max-failures`: those before it were delivered, those that had settled still are.
      const last = flow.stopped?.failure === failure
      fail(settled, failure, last ? 'stop' : verdict)
      if (verdict === 'raise') return false
      if (plan.envelope) await writer.write(failedRow(settled, failure, cwd))
    }
    await writer.write(rows.upTo(settled.from + settled.count))
    return true
  }

  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      if (!(await deliver(settled))) break
  } finally {
    // What was written stays a whole document, whatever ended the run.
    await writer.end()
    await output.end()
  }
}

interface Rows {
  /** What is to be written of the items before `offset` that have not been asked for; those succeeded. */
  upTo(offset: number): Uint8Array
}

function rowsOf(settled: SettledRange, envelope: boolean): Rows {
  const { from, count, results, failures } = settled
  if (results.kind !== 'json') throw new TypeError('the command line asks its workers for JSON')
  const bytes = asBuffer(results.bytes)
  const failed = new Set(failures.map(({ offset }) => offset))
  let next = from
  let at = 0
  return {
    upTo(offset) {
      while (failed.has(next)) next++
      const lines = offset === from + count ? bytes.subarray(at) : firstLines(bytes, at, offset - next)
      const rows = envelope ? envelopes(settled, lines, next, offset) : lines
      at += lines.length
      next = Math.max(next, offset)
      return rows
    },
  }
}

function failedRow(settled: SettledRange, failure: ItemFailure, cwd: string): Uint8Array {
  return failedEnvelope(settled, failure, plainError(placeOf(settled, failure), failure, { cwd }))
}

function placeOf({ chunk }: SettledRange, { offset, failure }: ItemFailure) {
  const position = positionText(locate(chunk, offset, failure.kind === 'input' ? failure.at : 0))
  return { index: itemIndexAt(chunk, offset), position }
}

function inputError(settled: SettledRange, failure: ItemFailure): InputError {
  return makeItemError(placeOf(settled, failure), failure) as InputError
}
