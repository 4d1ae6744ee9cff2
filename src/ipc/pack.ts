// The two messages that carry items as they cross the channel: rows in place of objects, because structured clone
// writes the name of every property again for every object, and many numbers as four or eight bytes each.
// What is large comes last: for anything that follows it, the serializer doubles its memory and copies it.
// Shared by both sides; knows nothing of processes or of what is done with a message.
import type { Framing, Ms, Payload, Results, TaskSpec, Timings } from '../model.js'
import type { ChunkMessage, FromWorker, ResultsMessage, ToWorker } from './protocol.js'

type Numbers = Int32Array | Float64Array
type Content = readonly unknown[] | Numbers | Uint8Array

/** A lone one says less than the array's own head. */
const LEAST_NUMBERS = 64

type ChunkRow = readonly [
  id: number,
  /** The same object in all rows of a call: it is written once a message. */
  task: TaskSpec,
  count: number,
  index: number | readonly number[],
  attempt: number,
  exact: boolean,
  timeoutMs: Ms | undefined,
  /** Of bytes. */
  framing: Framing | undefined,
  cuts: readonly number[] | undefined,
  content: Content,
]

/** Results are JSON where they are bytes. */
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
/** What a worker says, before its guard has put the token to it. */
export type OutgoingMessage = WithoutToken<FromWorker>

// ── to the worker ──────────────────────────────────────────────────────────────────────────────────────────────────

export function packToWorker(message: ToWorker): object {
  return message.type === 'run' ? { type: 'run', rows: message.chunks.map(rowOfChunk) } : message
}

/** Of what `packToWorker` made. */
export function unpackToWorker(packed: unknown): ToWorker {
  const message = packed as Exclude<ToWorker, { type: 'run' }> | { type: 'run'; rows: readonly ChunkRow[] }
  return message.type === 'run' ? { type: 'run', chunks: message.rows.map(chunkOfRow) } : message
}

function rowOfChunk({
  id,
  task,
  count,
  index,
  attempt,
  recordEachItem: exact,
  timeoutMs,
  payload,
}: ChunkMessage): ChunkRow {
  const { content, framing, cuts } =
    payload.kind === 'values'
      ? { content: packNumbers(payload.values) }
      : { content: payload.bytes, framing: payload.framing, cuts: payload.cuts }
  return [id, task, count, index, attempt, exact, timeoutMs, framing, cuts, content]
}

function chunkOfRow(row: ChunkRow): ChunkMessage {
  const [id, task, count, index, attempt, exact, timeoutMs, framing, cuts, content] = row
  const payload: Payload =
    framing === undefined
      ? // Numbers stay as they came: whoever runs them takes them one by one.
        { kind: 'values', values: content as readonly unknown[] }
      : { kind: 'bytes', bytes: content as Uint8Array, framing, ...(cuts !== undefined && { cuts }) }
  return {
    id,
    task,
    count,
    index,
    attempt,
    recordEachItem: exact,
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

/** `undefined` for half a message: a job that replaced parts of the language may have bent what its worker says. */
export function unpackFromWorker(message: FromWorker): FromWorker | undefined {
  if (message.type === 'cancelled') return Array.isArray(message.ids) ? message : undefined
  if (message.type !== 'settled') return message
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
  return { id, from, count, results, failures, busyMs, ...(timings !== undefined && { timings }) }
}

// ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────

function packNumbers(values: readonly unknown[]): readonly unknown[] | Numbers {
  const { length } = values
  if (length < LEAST_NUMBERS || typeof values[0] !== 'number') return values
  const integers = new Int32Array(length)
  let place = 0
  for (; place < length; place++) {
    const value = values[place]
    // Looked at first: to make a number of anything else runs its code, or throws.
    if (typeof value !== 'number') return values
    integers[place] = value
    // -0 is none of them.
    if (!Object.is(integers[place], value)) break
  }
  return place === length ? integers : packFractions(values)
}

function packFractions(values: readonly unknown[]): readonly unknown[] | Float64Array {
  if (!values.every((value) => typeof value === 'number')) return values
  return Float64Array.from(values as readonly number[])
}

function unpackNumbers(content: Content): readonly unknown[] {
  if (!isNumbers(content)) return content as readonly unknown[]
  // As long as it will be from the start: to let it grow costs as much again.
  const values = new Array<number>(content.length)
  for (let place = 0; place < content.length; place++) values[place] = content[place]!
  return values
}

function isNumbers(content: unknown): content is Numbers {
  return content instanceof Int32Array || content instanceof Float64Array
}
