// What has settled of one chunk since it was last sent, and the message made of it.
import { findUncloneable } from '../errors/capture/find-unserializable.js'
import { sliceLines } from '../framing/slice.js'
import type { ChunkMessage, ResultsMessage } from '../ipc/protocol.js'
import type { Failure, Ms, Results } from '../model.js'
import { LineBytes } from './line-bytes.js'
import type { LineMemory } from './line-memory.js'

const NO_BYTES = new Uint8Array(0)
/** Taken before the job is loaded: it may replace `performance`. */
const { timeOrigin } = performance

export class ChunkResults {
  readonly #id: number
  readonly #reply: Results['kind']
  /** The call wants the timings of each item. */
  readonly #isTimed: boolean
  readonly #sendsStarts: boolean
  /** Offset of the first item that has not been sent. */
  #from = 0
  #values: unknown[] = []
  readonly #lines: LineBytes
  #failures: { offset: number; failure: Failure }[] = []
  #startedAt: Ms[] = []
  #tookMs: Ms[] = []
  #busySince: Ms = Number.NaN
  #busyUntil: Ms | undefined

  constructor({ id, task }: ChunkMessage, memory?: LineMemory) {
    this.#id = id
    this.#lines = new LineBytes(memory)
    this.#reply = task.reply
    this.#isTimed = task.timed !== undefined && task.timed !== false
    this.#sendsStarts = task.timed === true
  }

  /** The chunk starts. */
  start(now: Ms): void {
    this.#busySince = now
  }

  get from(): number {
    return this.#from
  }

  addValue(value: unknown): void {
    this.#values.push(value)
  }

  addLine(line: string): void {
    this.#lines.add(line)
  }

  addFailure(offset: number, failure: Failure): void {
    this.#failures.push({ offset, failure })
    if (this.#reply === 'values') this.#values.push(undefined)
  }

  addTiming(startedAt: Ms, tookMs: Ms): void {
    if (!this.#isTimed) return
    if (this.#sendsStarts) this.#startedAt.push(timeOrigin + startedAt)
    this.#tookMs.push(tookMs)
  }

  /** The chunk has ended: waiting to share a message with others does not count as time its tasks took. */
  end(now: Ms): void {
    this.#busyUntil = now
  }

  /** The items from the last message up to `upTo`; `undefined` where there are none. Starts over behind them. */
  takeMessage(upTo: number, now: Ms): ResultsMessage | undefined {
    const count = upTo - this.#from
    const message = count > 0 ? this.#toMessage(count, now) : undefined
    // The message of another chunk: the time since is still that of the item that is running.
    if (message === undefined) return undefined
    this.#busySince = now
    this.#from = upTo
    this.#values = []
    this.#failures = []
    this.#startedAt = []
    this.#tookMs = []
    return message
  }

  #toMessage(count: number, now: Ms): ResultsMessage {
    const results: Results =
      this.#reply === 'values'
        ? { kind: 'values', values: this.#values }
        : { kind: 'json', bytes: this.#lines.take() }
    return {
      id: this.#id,
      from: this.#from,
      count,
      results,
      failures: this.#failures,
      busyMs: (this.#busyUntil ?? now) - this.#busySince,
      ...(this.#isTimed && {
        timings: {
          startedAt: new Float64Array(this.#startedAt),
          ms: new Float64Array(this.#tookMs),
        },
      }),
    }
  }
}

/** A message of several items as two messages. */
export function halvesOf(message: ResultsMessage): readonly ResultsMessage[] {
  const { id, from, count, results, failures, busyMs, timings } = message
  const half = count >> 1
  const firstFailures = failures.filter(({ offset }) => offset < from + half)
  // Only items that succeeded have a line.
  const lines = half - firstFailures.length
  const part = (start: number, end: number): ResultsMessage => ({
    id,
    from: from + start,
    count: end - start,
    results:
      results.kind === 'values'
        ? { kind: 'values', values: results.values.slice(start, end) }
        : {
            kind: 'json',
            bytes: sliceLines(
              results.bytes,
              start === 0 ? 0 : lines,
              start === 0 ? lines : count - failures.length,
            ),
          },
    failures: start === 0 ? firstFailures : failures.slice(firstFailures.length),
    busyMs: start === 0 ? busyMs : 0,
    ...(timings && {
      timings: { startedAt: timings.startedAt.slice(start, end), ms: timings.ms.slice(start, end) },
    }),
  })
  return [part(0, half), part(half, count)]
}

/** The message without the values that cannot be cloned: their items have failed. `undefined` if there are none. */
export function withoutUncloneable(message: ResultsMessage): ResultsMessage | undefined {
  const { from, results } = message
  if (results.kind !== 'values') return undefined
  const failures = [...message.failures]
  const values = results.values.map((value, i) => {
    const part = findUncloneable(value)
    if (part === undefined) return value
    failures.push({ offset: from + i, failure: { kind: 'encoding', side: 'result', ...part } })
    return undefined
  })
  if (failures.length === message.failures.length) return undefined
  failures.sort((a, b) => a.offset - b.offset)
  return { ...message, results: { kind: 'values', values }, failures }
}

/** The message of one item: it has failed. */
export function failedToSend(message: ResultsMessage, thrown: unknown): ResultsMessage {
  const { from, results } = message
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return {
    ...message,
    results:
      results.kind === 'values' ? { kind: 'values', values: [undefined] } : { kind: 'json', bytes: NO_BYTES },
    failures: [
      {
        offset: from,
        failure: { kind: 'encoding', side: 'result', path: '', message: reason, preview: '' },
      },
    ],
  }
}
