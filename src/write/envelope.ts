// `--envelope`: one line per item with its index, result or error, attempts and duration. Results are inserted as text;
// they are never parsed.
import { asBuffer } from '../framing/bytes.js'
import { failedMs, type ItemFailure, itemIndexAt, type Ms, type SettledRange } from '../model.js'

/** Lines for the items `from` up to `to` (exclusive) of the range, which all succeeded; `lines` are their results. */
export function envelopes(settled: SettledRange, lines: Uint8Array, from: number, to: number): Uint8Array {
  const { chunk, attempts, timings } = settled
  const values = asBuffer(lines).toString('utf8').split('\n')
  let text = ''
  for (let offset = from; offset < to; offset++) {
    const ms = durationText(timings?.ms[offset - settled.from])
    const value = values[offset - from]
    text += `{"index":${itemIndexAt(chunk, offset)},"ok":true,"value":${value},"attempts":${attempts},"ms":${ms}}\n`
  }
  return Buffer.from(text)
}

/** The line for a failed item. JSON must be able to carry `error`. */
export function failedEnvelope({ chunk }: SettledRange, failed: ItemFailure, error: object): Uint8Array {
  const { offset, attempts } = failed
  const ms = durationText(failedMs(failed))
  return Buffer.from(
    `{"index":${itemIndexAt(chunk, offset)},"ok":false,"error":${JSON.stringify(error)},"attempts":${attempts},"ms":${ms}}\n`,
  )
}

/** Rounded to microseconds, the resolution of the clock. `null` if the worker has not sent the duration. */
export function durationText(ms: Ms | undefined): string {
  return ms === undefined ? 'null' : String(Math.round(ms * 1000) / 1000)
}
