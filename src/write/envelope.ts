// `--envelope`: each result with its index, attempts and duration, failures among them. Works on lines of JSON that
// nobody parses. Knows nothing of streams or policies.
import { asBuffer } from '../framing/bytes.js'
import { failedMs, type ItemFailure, itemIndexAt, type Ms, type SettledRange } from '../model.js'

/** Items `from` up to `to` of the range, all of which succeeded; `lines` are theirs. */
export function envelopes(settled: SettledRange, lines: Uint8Array, from: number, to: number): Uint8Array {
  const { chunk, attempts, timings } = settled
  const values = asBuffer(lines).toString('utf8').split('\n')
  let text = ''
  for (let offset = from; offset < to; offset++) {
    const ms = shownMs(timings?.ms[offset - settled.from])
    const value = values[offset - from]
    text += `{"index":${itemIndexAt(chunk, offset)},"ok":true,"value":${value},"attempts":${attempts},"ms":${ms}}\n`
  }
  return Buffer.from(text)
}

/** `error` is JSON-safe. */
export function failedEnvelope({ chunk }: SettledRange, failed: ItemFailure, error: object): Uint8Array {
  const { offset, attempts } = failed
  const ms = shownMs(failedMs(failed))
  return Buffer.from(
    `{"index":${itemIndexAt(chunk, offset)},"ok":false,"error":${JSON.stringify(error)},"attempts":${attempts},"ms":${ms}}\n`,
  )
}

/** Microseconds are what clocks can tell. `null` where the worker died before it could say. */
function shownMs(ms: Ms | undefined): string {
  return ms === undefined ? 'null' : String(Math.round(ms * 1000) / 1000)
}
