// The right end of a run: takes ranges as they are delivered, writes their results and reports their failures.
import type { InputError } from '../errors/classes.js'
import { type ItemErrorContext, makeItemError } from '../errors/rebuild/item-error.js'
import { plainError } from '../errors/render/plain-error.js'
import { asBuffer } from '../framing/bytes.js'
import { locate, locationText } from '../framing/location.js'
import { firstLines } from '../framing/slice.js'
import { type ItemFailure, itemIndexAt, type RunEvent, type SettledRange, type Verdict } from '../model.js'
import type { RunPlan } from '../plan.js'
import type { Policy } from '../policy/policy.js'
import { envelopes, failedEnvelope } from '../write/envelope.js'
import type { Output } from '../write/output.js'
import { createSpool } from '../write/spool.js'
import type { Table } from '../write/table.js'
import { createWriter, type Writer, type WriterOptions } from '../write/writer.js'
import type { Flow } from './flow.js'
import { hasRawLines } from './settings.js'

interface DeliveryOptions {
  readonly plan: RunPlan
  readonly policy: Policy
  readonly flow: Flow
  readonly output: Output
  /** For `--format csv` and `tsv`. */
  readonly table?: Table | undefined
  /** Paths in errors are shown relative to it. */
  readonly cwd: string
  readonly emit: (event: RunEvent) => void
}

/** Resolves when all output has been written, also after a failure that ended the run. */
export function deliverOutput(options: DeliveryOptions): Promise<void> {
  return options.policy.allOrNothing ? deliverAllOrNothing(options) : deliverAsReady(options)
}

/** Reports the failures of a range that has settled, but for those that have to wait for their turn in the output. */
export function reportSkipped(
  settled: SettledRange,
  policy: Policy,
  stoppedBy: ItemFailure | undefined,
  emit: (event: RunEvent) => void,
): void {
  for (const failure of settled.failures) {
    if (policy.onDeliver(failure, settled) !== 'skip') continue
    // At the failure that reached `--max-failures`, `stop` is reported, but what had settled is still delivered.
    emit({ type: 'item-failed', settled, failure, verdict: failure === stoppedBy ? 'stop' : 'skip' })
  }
}

function writerOptions({ plan, table }: DeliveryOptions): WriterOptions {
  return { format: plan.format, areRaw: hasRawLines(plan), table }
}

async function deliverAllOrNothing(options: DeliveryOptions): Promise<void> {
  const { plan, flow, output } = options
  const spool = createSpool()
  try {
    const writer = createWriter({ ...writerOptions(options), single: plan.command === 'apply' }, spool)
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      await writer.write(rowsOf(settled, plan).upTo(settled.from + settled.count))
    if (flow.stopped !== undefined)
      return reportFailure(flow.stopped.settled, flow.stopped.failure, 'stop', options.emit)
    if (flow.endedEarly) return
    await writer.end()
    await spool.writeTo(output)
  } finally {
    await spool.discard()
  }
  return output.end()
}

async function deliverAsReady(options: DeliveryOptions): Promise<void> {
  const { flow, output } = options
  const writer = createWriter(writerOptions(options), output)
  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next()) {
      const raised = await deliverRange(settled, writer, options)
      if (raised === undefined) continue
      // The run ends from outside, and not because of this failure: the ones behind it are shown, too.
      if (flow.endedEarly) await reportRest(raised, settled, options)
      break
    }
  } finally {
    // The document is completed whatever ended the run.
    await writer.end()
    await output.end()
  }
}

/** Reports the failures behind the one that ended the output. */
async function reportRest(
  raised: ItemFailure,
  first: SettledRange,
  { flow, emit }: DeliveryOptions,
): Promise<void> {
  let failures = first.failures.slice(first.failures.indexOf(raised) + 1)
  for (let settled: SettledRange | undefined = first; settled !== undefined; ) {
    for (const failure of failures) emit({ type: 'item-failed', settled, failure, verdict: 'raise' })
    settled = await flow.next()
    failures = settled?.failures.slice() ?? []
  }
}

/** The failure that ended the run, if one of this range did. */
async function deliverRange(
  settled: SettledRange,
  writer: Writer,
  { plan, policy, cwd, emit }: DeliveryOptions,
): Promise<ItemFailure | undefined> {
  const rows = rowsOf(settled, plan)
  for (const failure of settled.failures) {
    await writer.write(rows.upTo(failure.offset))
    if (policy.onDeliver(failure, settled) === 'raise') {
      reportFailure(settled, failure, 'raise', emit)
      return failure
    }
    if (plan.envelope && isEmitted(settled, plan)) await writer.write(failedRow(settled, failure, cwd))
  }
  await writer.write(rows.upTo(settled.from + settled.count))
  return undefined
}

/** @throws InputError for an item that is malformed: the input ends the run, not the item */
function reportFailure(
  settled: SettledRange,
  failure: ItemFailure,
  verdict: Exclude<Verdict, 'skip'>,
  emit: (event: RunEvent) => void,
): void {
  if (failure.failure.kind === 'input') throw inputError(settled, failure)
  emit({ type: 'item-failed', settled, failure, verdict })
}

interface Rows {
  /** Rows of the items before `offset` that were not returned before. Must be called for each failed offset, ascending. */
  upTo(offset: number): Uint8Array
}

const NO_ROWS = new Uint8Array(0)

/** With `--resume-emit new`, what settled in an earlier run is not written again. */
function isEmitted({ restored }: SettledRange, { journal }: RunPlan): boolean {
  return restored !== true || journal?.emitsNew !== true
}

function rowsOf(settled: SettledRange, plan: RunPlan): Rows {
  if (!isEmitted(settled, plan)) return { upTo: () => NO_ROWS }
  const { envelope } = plan
  const { from, count, results, failures } = settled
  if (results.kind !== 'json') throw new TypeError('the command line asks its workers for JSON')
  const bytes = asBuffer(results.bytes)
  const failed = new Set(failures.map(({ offset }) => offset))
  let next = from
  let start = 0
  return {
    upTo(offset) {
      while (failed.has(next)) next++
      const lines = offset === from + count ? bytes.subarray(start) : firstLines(bytes, start, offset - next)
      const rows = envelope ? envelopes(settled, lines, next, offset) : lines
      start += lines.length
      next = Math.max(next, offset)
      return rows
    },
  }
}

function failedRow(settled: SettledRange, failure: ItemFailure, cwd: string): Uint8Array {
  return failedEnvelope(settled, failure, plainError(locationOf(settled, failure), failure, { cwd }))
}

function locationOf({ chunk }: SettledRange, { offset, failure }: ItemFailure): ItemErrorContext {
  const location = locationText(locate(chunk, offset, failure.kind === 'input' ? failure.at : 0))
  return { index: itemIndexAt(chunk, offset), location }
}

function inputError(settled: SettledRange, failure: ItemFailure): InputError {
  return makeItemError(locationOf(settled, failure), failure) as InputError
}
