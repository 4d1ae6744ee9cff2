// The messages of small calls as JSON text. The serializer of structured clone costs an object of C++ and a buffer outside
// V8's heap per message at either end, which takes longer than everything else that is done for the call.
// Only what looks the same at the other end is written: numbers, strings, booleans, null, and small trees of them. The text
// is built here, because `JSON.stringify` would call a `toJSON` that a job has added to arrays or objects.
import { types } from 'node:util'
import type { ChunkMessage, OutgoingMessage, ResultsMessage, ToWorker } from './protocol.js'

// Taken before the job is loaded: it may replace any of these.
const { stringify } = JSON
const { getPrototypeOf, is, keys } = Object
const objectPrototype = Object.prototype
const { isArray } = Array
const { isFinite: isFiniteNumber, isSafeInteger } = Number
const { isProxy } = types

/** For more, structured clone is as fast. */
const MAX_CHARACTERS = 16 * 1024
const MAX_CHUNKS = 32
const MAX_VALUES = 64
/** Of a chunk or range. Each is compared with all others: structured clone keeps it one object where it occurs twice. */
const MAX_OBJECTS = 16

let objects: object[] = []

interface TextRange extends Omit<ResultsMessage, 'results'> {
  /** JSON has no `undefined`, which tasks without a result return: `null` stands for `count` of them. */
  readonly results: { readonly kind: 'values'; readonly values: readonly unknown[] | null }
}

/** `undefined` if it is large, or has anything that structured clone has to write. */
export function textToWorker(message: ToWorker): string | undefined {
  return message.type === 'run'
    ? textOfRows('{"type":"run","chunks":[', message.chunks, textOfChunk, ']}')
    : undefined
}

/** As `textToWorker`, for what a worker sends. */
export function textFromWorker(token: string, message: OutgoingMessage): string | undefined {
  if (message.type !== 'settled') return undefined
  const { ranges, rss } = message
  const end = rss === undefined ? ']}' : `],"rss":${rss}}`
  return textOfRows(`{"token":"${token}","type":"settled","ranges":[`, ranges, textOfRange, end)
}

/** The ranges of a message that was text; `undefined` if they are malformed. */
export function rangesFromText(ranges: unknown): readonly ResultsMessage[] | undefined {
  return isArray(ranges) && ranges.every(isRange) ? ranges.map(withUndefined) : undefined
}

function isRange({ id, from, count, results }: TextRange): boolean {
  const { values } = results
  return (
    isSafeInteger(id) &&
    isSafeInteger(from) &&
    isSafeInteger(count) &&
    (values === null || values.length === count)
  )
}

function withUndefined(range: TextRange): ResultsMessage {
  const values = range.results.values ?? Array(range.count).fill(undefined)
  return { ...range, results: { kind: 'values', values } }
}

function textOfRows<Row>(
  start: string,
  rows: readonly Row[],
  textOfRow: (row: Row) => string | undefined,
  end: string,
): string | undefined {
  if (rows.length > MAX_CHUNKS) return undefined
  let text = start
  for (let i = 0; i < rows.length; i++) {
    const row = textOfRow(rows[i]!)
    if (objects.length > 0) objects = []
    if (row === undefined || text.length + row.length > MAX_CHARACTERS) return undefined
    text += i === 0 ? row : `,${row}`
  }
  return text + end
}

function textOfChunk(chunk: ChunkMessage): string | undefined {
  const { id, task, count, index, attempt, timeoutMs, mayRetry, recordEachItem, isSmall, payload } = chunk
  if (payload.kind !== 'values') return undefined
  const values = textOfValues(payload.values)
  const spec = textOf(task)
  const indexes = typeof index === 'number' ? `${index}` : textOfValues(index)
  if (values === undefined || spec === undefined || indexes === undefined) return undefined
  const limit = timeoutMs === undefined ? '' : `,"timeoutMs":${timeoutMs}`
  const retry = mayRetry === undefined ? '' : `,"mayRetry":${mayRetry}`
  const flags = `"attempt":${attempt},"recordEachItem":${recordEachItem},"isSmall":${isSmall}${limit}${retry}`
  return `{"id":${id},"task":${spec},"count":${count},"index":${indexes},${flags},"payload":{"kind":"values","values":${values}}}`
}

function textOfRange({
  id,
  from,
  count,
  results,
  failures,
  busyMs,
  timings,
}: ResultsMessage): string | undefined {
  if (results.kind !== 'values' || failures.length > 0 || timings !== undefined) return undefined
  const values = areAllUndefined(results.values) ? 'null' : textOfValues(results.values)
  if (values === undefined) return undefined
  return `{"id":${id},"from":${from},"count":${count},"results":{"kind":"values","values":${values}},"failures":[],"busyMs":${busyMs}}`
}

function areAllUndefined(values: readonly unknown[]): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== undefined) return false
  return values.length > 0
}

function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return isFiniteNumber(value) && !is(value, -0) ? `${value}` : undefined
    case 'string':
      return value.length > MAX_CHARACTERS ? undefined : stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : textOfObject(value)
    default:
      return undefined
  }
}

function textOfObject(object: object): string | undefined {
  if (objects.length === MAX_OBJECTS) return undefined
  for (let i = 0; i < objects.length; i++) if (objects[i] === object) return undefined
  objects[objects.length] = object
  if (isProxy(object)) return undefined
  try {
    if (isArray(object)) return keys(object).length > object.length ? undefined : textOfValues(object)
    return getPrototypeOf(object) === objectPrototype
      ? textOfProperties(object as Record<string, unknown>)
      : undefined
  } catch {
    // A getter has thrown. Structured clone reports it.
    return undefined
  }
}

function textOfValues(values: readonly unknown[]): string | undefined {
  if (values.length > MAX_VALUES) return undefined
  let text = '['
  for (let i = 0; i < values.length; i++) {
    const value = textOf(values[i])
    if (value === undefined || text.length + value.length > MAX_CHARACTERS) return undefined
    text += i === 0 ? value : `,${value}`
  }
  return `${text}]`
}

function textOfProperties(object: Record<string, unknown>): string | undefined {
  const names = keys(object)
  if (names.length > MAX_VALUES) return undefined
  let text = '{'
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    const value = textOf(object[name])
    if (value === undefined || text.length + value.length > MAX_CHARACTERS) return undefined
    text += `${i === 0 ? '' : ','}${stringify(name)}:${value}`
  }
  return `${text}}`
}
