// The two messages that carry items as they cross the channel: rows in place of objects, because structured clone
// writes the name of every property again for every object. Many numbers and objects are packed (columns.ts). Values that
// may not be readable at the other end are bytes in it (values.ts).
// What is large comes last: for anything that follows it, the serializer doubles its memory and copies it.
import type { Failure, Framing, Ms, Payload, Results, Table, TaskSpec, Timings } from '../model.js'
import {
  isAscending,
  isNumbers,
  isPackedObjects,
  MIN_PACKED_VALUES,
  type Numbers,
  type PackedObjects,
  packNumbers,
  packObjects,
  unpackNumbers,
  unpackObjects,
} from './columns.js'
import type {
  ChunkMessage,
  FromWorker,
  InitMessage,
  OutgoingMessage,
  ResultsMessage,
  ToWorker,
} from './protocol.js'
import { rangesFromText } from './text-messages.js'
import {
  asInline,
  type CopyBytes,
  encode,
  IncomingValues,
  OutgoingValues,
  type PackedValues,
  type Parts,
  tryDecode,
  Undecodable,
  unshared,
} from './values.js'

type Content = readonly unknown[] | Numbers | Uint8Array | PackedObjects | PackedValues

type ChunkRow = readonly [
  id: number,
  /** The same object in all rows of a call: structured clone writes it once per message. */
  task: TaskSpec,
  count: number,
  index: number | readonly number[],
  attempt: number,
  recordEachItem: boolean,
  isSmall: boolean,
  timeoutMs: Ms | undefined,
  mayRetry: boolean | undefined,
  /** Only of bytes, as are the next four. */
  framing: Framing | undefined,
  cuts: readonly number[] | undefined,
  isTooLong: boolean | undefined,
  batch: number | undefined,
  /** The same object in all rows of an input, as the task is. */
  table: Table | undefined,
  content: Content,
]

/** The content is JSON lines where it is bytes, values otherwise. */
type SettledRow = readonly [
  id: number,
  from: number,
  count: number,
  failures: PackedFailures | undefined,
  busyMs: Ms,
  timings: Timings | undefined,
  content: Content,
]

/** A thrown error has values of the job, too. */
interface PackedFailures {
  readonly offsets: readonly number[]
  readonly values: PackedValues
}

interface PackedRun {
  readonly type: 'run'
  readonly rows: readonly ChunkRow[]
  readonly parts?: Parts
}

interface PackedInit extends Omit<InitMessage, 'initArgs' | 'params'> {
  readonly values: Uint8Array
}

// ── to the worker ──────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `copy`: for the bytes of large typed arrays, which may change before they are written.
 * @throws if a value cannot be cloned or read, or if all of them are too large for one message
 */
export function packToWorker(message: ToWorker, maxBytes?: number, copy?: CopyBytes): object {
  if (message.type === 'init') return packInit(message, maxBytes)
  if (message.type !== 'run') return message
  const outgoing = new OutgoingValues(maxBytes, copy)
  const rows = message.chunks.map((chunk) => rowOfChunk(chunk, outgoing))
  const parts = outgoing.finish()
  return { type: 'run', rows, ...(parts !== undefined && { parts }) } satisfies PackedRun
}

/** The inverse of `packToWorker`. Values that cannot be decoded are `Undecodable`. */
export function unpackToWorker(packed: unknown): ToWorker {
  const message = packed as Exclude<ToWorker, { type: 'init' }> | PackedRun | PackedInit
  if (message.type === 'init') return unpackInit(message)
  if (message.type !== 'run' || !('rows' in message)) return message
  const incoming = new IncomingValues(message.parts)
  return { type: 'run', chunks: message.rows.map((row) => chunkOfRow(row, incoming)) }
}

function packInit({ initArgs, params, ...rest }: InitMessage, maxBytes?: number): PackedInit {
  const values = encode([initArgs, params])
  new OutgoingValues(maxBytes).take(values.byteLength)
  return { ...rest, values }
}

function unpackInit({ values, ...rest }: PackedInit): InitMessage {
  const decoded = tryDecode(values)
  if (decoded instanceof Undecodable) return { ...rest, initArgs: [], undecodable: decoded.message }
  const [initArgs, params] = decoded as [InitMessage['initArgs'], InitMessage['params']]
  return { ...rest, initArgs, ...(params !== undefined && { params }) }
}

function rowOfChunk(chunk: ChunkMessage, outgoing: OutgoingValues): ChunkRow {
  const { id, task, count, index, attempt, recordEachItem, isSmall, timeoutMs, mayRetry, payload } = chunk
  const { content, framing, cuts, isTooLong, batch, table } =
    payload.kind === 'values'
      ? { content: packArguments(payload.values, outgoing, task.calling === 'spread') }
      : {
          content: packBytes(payload.bytes, outgoing),
          framing: payload.framing,
          cuts: payload.cuts,
          isTooLong: payload.isTooLong,
          batch: payload.batch,
          table: payload.table,
        }
  return [
    id,
    task,
    count,
    index,
    attempt,
    recordEachItem,
    isSmall,
    timeoutMs,
    mayRetry,
    framing,
    cuts,
    isTooLong,
    batch,
    table,
    content,
  ]
}

function chunkOfRow(row: ChunkRow, incoming: IncomingValues): ChunkMessage {
  const [
    id,
    task,
    count,
    index,
    attempt,
    recordEachItem,
    isSmall,
    timeoutMs,
    mayRetry,
    framing,
    cuts,
    isTooLong,
    batch,
    table,
    content,
  ] = row
  const payload: Payload =
    framing === undefined
      ? {
          kind: 'values',
          values: argumentsOf(content, count, incoming),
        }
      : {
          kind: 'bytes',
          bytes: content as Uint8Array,
          framing,
          ...(cuts !== undefined && { cuts }),
          ...(isTooLong !== undefined && { isTooLong }),
          ...(batch !== undefined && { batch }),
          ...(table !== undefined && { table }),
        }
  return {
    id,
    task,
    count,
    index,
    attempt,
    recordEachItem,
    isSmall,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(mayRetry !== undefined && { mayRetry }),
    payload,
  }
}

// ── from the worker ────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The result shares memory of the job: it must be written before the job runs again.
 * @throws as `packToWorker` does
 */
export function packFromWorker(message: OutgoingMessage, maxBytes?: number): object {
  // These hold values of the job, too, and are sent once.
  if (message.type === 'dying' || message.type === 'init-failed')
    return { type: 'encoded', bytes: encode(message) }
  if (message.type !== 'settled') return message
  const { ranges, ...rest } = message
  const outgoing = new OutgoingValues(maxBytes)
  const rows = ranges.map((range) => rowOfSettled(range, outgoing))
  const parts = outgoing.finish()
  return { ...rest, rows, ...(parts !== undefined && { parts }) }
}

function rowOfSettled(range: ResultsMessage, outgoing: OutgoingValues): SettledRow {
  const { id, from, count, results, failures, busyMs, timings } = range
  const content =
    results.kind === 'json' ? packBytes(results.bytes, outgoing) : packResults(results.values, outgoing)
  return [id, from, count, packFailures(failures, outgoing), busyMs, timings, content]
}

function packFailures(
  failures: ResultsMessage['failures'],
  outgoing: OutgoingValues,
): PackedFailures | undefined {
  if (failures.length === 0) return undefined
  const values = outgoing.add(failures.map(({ failure }) => failure))
  return { offsets: failures.map(({ offset }) => offset), values }
}

/**
 * `undefined` for a malformed message: a job that replaced parts of the language may have damaged it. Items whose result
 * cannot be decoded have failed.
 */
export function unpackFromWorker(message: FromWorker): FromWorker | undefined {
  try {
    return unpack(message as { type: string; token: string })
  } catch {
    return undefined
  }
}

function unpack(message: { type: string; token: string }): FromWorker | undefined {
  switch (message.type) {
    case 'encoded': {
      const { token, bytes } = message as unknown as { token: string; bytes: Uint8Array }
      const decoded = tryDecode(bytes)
      return decoded instanceof Undecodable ? undefined : ({ ...(decoded as object), token } as FromWorker)
    }
    case 'cancelled': {
      const { ids, begun } = message as { ids?: unknown; begun?: unknown }
      return Array.isArray(ids) && Array.isArray(begun) ? (message as FromWorker) : undefined
    }
    case 'returned': {
      const { ids, kept } = message as { ids?: unknown; kept?: unknown }
      return Array.isArray(ids) && Array.isArray(kept) ? (message as FromWorker) : undefined
    }
    case 'settled': {
      if ('ranges' in message) {
        const ranges = rangesFromText(message.ranges)
        return ranges && ({ ...message, ranges } as unknown as FromWorker)
      }
      const { rows, parts, ...rest } = message as unknown as {
        rows: readonly SettledRow[]
        parts?: Parts
        token: string
        rss?: number
      }
      const incoming = new IncomingValues(parts)
      const ranges = rows.map((row) => settledOfRow(row, incoming))
      return ranges.every((range) => range !== undefined) ? { ...rest, type: 'settled', ranges } : undefined
    }
    default:
      return message as FromWorker
  }
}

function settledOfRow(row: SettledRow, incoming: IncomingValues): ResultsMessage | undefined {
  const [id, from, count, packed, busyMs, timings, content] = row
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(from) || !Number.isSafeInteger(count))
    return undefined
  const failures = packed === undefined ? [] : unpackFailures(packed, incoming)
  const rest = { busyMs, ...(timings !== undefined && { timings }) }
  if (isPacked(content))
    return { id, from, count, ...withoutUndecodable(from, incoming.get(content, count), failures), ...rest }
  let results: Results
  if (content instanceof Uint8Array) results = { kind: 'json', bytes: content }
  else if (isNumbers(content)) results = { kind: 'values', values: unpackNumbers(content) }
  else if (isPackedObjects(content)) results = { kind: 'values', values: unpackObjects(content, count) }
  else if (Array.isArray(content)) results = { kind: 'values', values: content }
  else return undefined
  return { id, from, count, results, failures, ...rest }
}

function unpackFailures({ offsets, values }: PackedFailures, incoming: IncomingValues) {
  const failures = incoming.get(values, offsets.length)
  return offsets.map((offset, i) => ({ offset, failure: decodedFailure(failures[i]) }))
}

function withoutUndecodable(
  from: number,
  values: unknown[],
  failures: { readonly offset: number; readonly failure: Failure }[],
): Pick<ResultsMessage, 'results' | 'failures'> {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!(value instanceof Undecodable)) continue
    values[i] = undefined
    failures.push({ offset: from + i, failure: decodedFailure(value) })
  }
  failures.sort((a, b) => a.offset - b.offset)
  return { results: { kind: 'values', values }, failures }
}

/** What an item ended with, or that it cannot be decoded. */
export function decodedFailure(decoded: unknown): Failure {
  if (!(decoded instanceof Undecodable)) return decoded as Failure
  return { kind: 'encoding', side: 'result', path: '', message: decoded.message, preview: '' }
}

// ── values ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function packBytes(bytes: Uint8Array, outgoing: OutgoingValues): Uint8Array {
  outgoing.take(bytes.byteLength)
  return bytes
}

function packArguments(values: readonly unknown[], outgoing: OutgoingValues, spread: boolean): Content {
  return pack(values, outgoing) ?? asInline(values, spread, outgoing) ?? outgoing.add(unshared(values))
}

function packResults(values: readonly unknown[], outgoing: OutgoingValues): Content {
  const packed = pack(values, outgoing)
  // One object that several items have returned stays one object.
  const isFaithful = packed !== undefined && (isNumbers(packed) || areDistinct(values, packed))
  return (isFaithful ? packed : undefined) ?? asInline(values, false, outgoing) ?? outgoing.add(values)
}

function argumentsOf(content: Content, count: number, incoming: IncomingValues): readonly unknown[] {
  if (isPackedObjects(content)) return unpackObjects(content, count)
  // Numbers stay packed: the worker takes them one by one.
  return isPacked(content) ? incoming.get(content, count) : (content as readonly unknown[])
}

function pack(values: readonly unknown[], outgoing: OutgoingValues): Numbers | PackedObjects | undefined {
  if (values.length < MIN_PACKED_VALUES) return undefined
  const numbers = packNumbers(values)
  if (numbers !== undefined) return numbers
  const objects = packObjects(values)
  if (objects === undefined) return undefined
  for (const column of objects.columns)
    if (Array.isArray(column) && asInline(column, false, outgoing) === undefined) return undefined
  return objects
}

function areDistinct(objects: readonly unknown[], { columns }: PackedObjects): boolean {
  // One that is there twice would be in two rows with the same number. Most objects have an ascending one: their index or id.
  return columns.some(isAscending) || new Set(objects).size === objects.length
}

function isPacked(content: Content): content is PackedValues {
  return typeof (content as Partial<PackedValues>).list === 'number'
}
