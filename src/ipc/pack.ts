// The two messages that carry items as they cross the channel: rows in place of objects, because structured clone
// writes the name of every property again for every object, and many numbers as four or eight bytes each.
// What is large comes last: for anything that follows it, the serializer doubles its memory and copies it.
import type { Framing, Ms, Payload, Results, TaskSpec, Timings } from '../model.js'
import { ownBuffersOfEach, withOwnBuffers } from './own-buffers.js'
import type { ChunkMessage, FromWorker, ResultsMessage, ToWorker } from './protocol.js'

type Numbers = Int32Array | Float64Array
type Content = readonly unknown[] | Numbers | Uint8Array

/** Below this length a typed array's header costs more than it saves. */
const MIN_PACKED_NUMBERS = 64

type ChunkRow = readonly [
  id: number,
  /** The same object in all rows of a call: structured clone writes it once per message. */
  task: TaskSpec,
  count: number,
  index: number | readonly number[],
  attempt: number,
  recordEachItem: boolean,
  timeoutMs: Ms | undefined,
  /** Only of bytes, as are the cuts. */
  framing: Framing | undefined,
  cuts: readonly number[] | undefined,
  content: Content,
]

/** The content is JSON lines where it is bytes, values otherwise. */
type SettledRow = readonly [
  id: number,
  from: number,
  count: number,
  failures: ResultsMessage['failures'] | undefined,
  busyMs: Ms,
  timings: Timings | undefined,
  content: Content,
]

type WithoutToken<T> = T extends unknown ? Omit<T, 'token'> : never
/** A worker's message before its guard adds the token. */
export type OutgoingMessage = WithoutToken<FromWorker>

// ── to the worker ──────────────────────────────────────────────────────────────────────────────────────────────────

export function packToWorker(message: ToWorker): object {
  return message.type === 'run' ? { type: 'run', rows: message.chunks.map(rowOfChunk) } : message
}

/** The inverse of `packToWorker`. */
export function unpackToWorker(packed: unknown): ToWorker {
  const message = packed as Exclude<ToWorker, { type: 'run' }> | { type: 'run'; rows: readonly ChunkRow[] }
  if (message.type === 'init') return { ...message, initArgs: withOwnBuffers(message.initArgs) }
  return message.type === 'run' ? { type: 'run', chunks: message.rows.map(chunkOfRow) } : message
}

function rowOfChunk({
  id,
  task,
  count,
  index,
  attempt,
  recordEachItem,
  timeoutMs,
  payload,
}: ChunkMessage): ChunkRow {
  const { content, framing, cuts } =
    payload.kind === 'values'
      ? { content: packNumbers(payload.values) }
      : { content: payload.bytes, framing: payload.framing, cuts: payload.cuts }
  return [id, task, count, index, attempt, recordEachItem, timeoutMs, framing, cuts, content]
}

function chunkOfRow(row: ChunkRow): ChunkMessage {
  const [id, task, count, index, attempt, recordEachItem, timeoutMs, framing, cuts, content] = row
  const payload: Payload =
    framing === undefined
      ? // Numbers stay packed: the worker takes them one by one.
        {
          kind: 'values',
          values: isNumbers(content)
            ? (content as Content as readonly unknown[])
            : ownBuffersOfEach(content as readonly unknown[]),
        }
      : { kind: 'bytes', bytes: content as Uint8Array, framing, ...(cuts !== undefined && { cuts }) }
  return {
    id,
    task,
    count,
    index,
    attempt,
    recordEachItem,
    ...(timeoutMs !== undefined && { timeoutMs }),
    payload,
  }
}

// ── from the worker ────────────────────────────────────────────────────────────────────────────────────────────────

export function packFromWorker(message: OutgoingMessage): object {
  if (message.type !== 'settled') return message
  const { ranges, ...rest } = message
  return { ...rest, rows: ranges.map(rowOfSettled) }
}

function rowOfSettled({ id, from, count, results, failures, busyMs, timings }: ResultsMessage): SettledRow {
  const content = results.kind === 'json' ? results.bytes : packNumbers(results.values)
  return [id, from, count, failures.length > 0 ? failures : undefined, busyMs, timings, content]
}

/** `undefined` for a malformed message: a job that replaced parts of the language may have damaged it. */
export function unpackFromWorker(message: FromWorker): FromWorker | undefined {
  if (message.type === 'cancelled')
    return Array.isArray(message.ids) && Array.isArray(message.begun) ? message : undefined
  if (message.type !== 'settled') return withOwnBuffers(message)
  const { rows, ...rest } = message as unknown as { rows: unknown; token: string; rss?: number }
  if (!Array.isArray(rows)) return undefined
  const ranges: ResultsMessage[] = []
  for (const row of rows) {
    const range = settledOfRow(row)
    if (range === undefined) return undefined
    ranges.push(range)
  }
  return { ...rest, type: 'settled', ranges }
}

function settledOfRow(row: unknown): ResultsMessage | undefined {
  if (!Array.isArray(row)) return undefined
  const [id, from, count, failures = [], busyMs, timings, content] = row as unknown as SettledRow
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(from) || !Number.isSafeInteger(count))
    return undefined
  if (!Array.isArray(failures)) return undefined
  let results: Results
  if (content instanceof Uint8Array) results = { kind: 'json', bytes: content }
  else if (Array.isArray(content) || isNumbers(content))
    results = { kind: 'values', values: unpackNumbers(content) }
  else return undefined
  // Errors carry values of the job, too.
  if (failures.length > 0) withOwnBuffers(failures)
  return { id, from, count, results, failures, busyMs, ...(timings !== undefined && { timings }) }
}

// ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────

function packNumbers(values: readonly unknown[]): readonly unknown[] | Numbers {
  const { length } = values
  if (length < MIN_PACKED_NUMBERS || typeof values[0] !== 'number') return values
  const integers = new Int32Array(length)
  let i = 0
  for (; i < length; i++) {
    const value = values[i]
    // Checked first: storing anything else converts it, which runs its code or throws.
    if (typeof value !== 'number') return values
    integers[i] = value
    // `Object.is`, because -0 would become 0.
    if (!Object.is(integers[i], value)) break
  }
  return i === length ? integers : packFractions(values)
}

function packFractions(values: readonly unknown[]): readonly unknown[] | Float64Array {
  if (!values.every((value) => typeof value === 'number')) return values
  return Float64Array.from(values as readonly number[])
}

function unpackNumbers(content: Content): readonly unknown[] {
  if (!isNumbers(content)) return ownBuffersOfEach(content as readonly unknown[])
  // Its full length from the start: growing it would cost as much again.
  const values = new Array<number>(content.length)
  for (let i = 0; i < content.length; i++) values[i] = content[i]!
  return values
}

function isNumbers(content: unknown): content is Numbers {
  return content instanceof Int32Array || content instanceof Float64Array
}
