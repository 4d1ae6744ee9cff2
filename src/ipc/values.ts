// Values of jobs and callers as bytes of their own inside a message. Node reads the message itself, and a value that could
// not be read there would end the process; these bytes are decoded under `try`.
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { weigh } from '../errors/capture/weigh.js'

const { isView } = ArrayBuffer
const { isArray } = Array

/** Node takes the length of a message for a signed number of 32 bits. The rest is for all that is not a value. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 2 ** 20
/** More text is encoded, which tells how many bytes it takes. */
const MAX_INLINE_CHARACTERS = 1024 * 1024
const BYTES_PER_CHARACTER = 2
const MAX_INLINE_ARGUMENTS = 100

/** Where the values of a chunk or a range are among the parts of their message. */
export interface PackedValues {
  /** In the list that the first part holds. */
  readonly list: number
  /** Values that have a part of their own: offset, part, offset, part … */
  readonly alone?: readonly number[]
}

/** The first part is a list of lists of values, the others are one value each. */
export type Parts = readonly Uint8Array[]

/** In place of a value that cannot be decoded. */
export class Undecodable {
  constructor(readonly message: string) {}
}

/** Thrown for a message that the channel cannot carry. The values themselves may be fine. */
export class TooLargeError extends Error {
  constructor(bytes: number, most: number) {
    super(
      `it takes ${bytes.toLocaleString('en')} bytes, and at most ${most.toLocaleString('en')} can be sent`,
    )
  }
}

/** @throws what structured clone throws */
export function encode(value: unknown): Buffer {
  const serializer = new DefaultSerializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/**
 * Each typed array in the value has a buffer of its own size. Node makes views of the whole message, which would keep it
 * in memory and show a job the token of its worker.
 * @throws if the value cannot be read
 */
export function decode(bytes: Uint8Array): unknown {
  const deserializer = new OwnBuffersDeserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}

/** Node's types leave it out, although it is documented. */
const Base = DefaultDeserializer as new (
  bytes: Uint8Array,
) => DefaultDeserializer & { _readHostObject(): unknown }

class OwnBuffersDeserializer extends Base {
  override _readHostObject(): unknown {
    const value = super._readHostObject()
    return isView(value) ? withOwnBuffer(value) : value
  }
}

function withOwnBuffer(view: ArrayBufferView & { readonly constructor: unknown }): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view
  if (byteLength === buffer.byteLength) return view
  const own = buffer.slice(byteOffset, byteOffset + byteLength)
  if (Buffer.isBuffer(view)) return Buffer.from(own as ArrayBuffer)
  return new (view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(own)
}

/** The values of one message on their way out. */
export class OutgoingValues {
  readonly #lists: unknown[] = []
  readonly #alone: Uint8Array[] = []
  readonly #maxBytes: number
  /** Of all that was added, at least. */
  #bytes = 0

  constructor(maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes
  }

  /**
   * Values that cannot go wrong are encoded together. The others are encoded alone, and decoded to see whether that is
   * possible: what is wrong with one of them is known here, where it can be named.
   * @throws if a value cannot be cloned or cannot be read, or if it is too large
   */
  add(values: readonly unknown[]): PackedValues {
    let together: unknown[] | undefined
    let alone: number[] | undefined
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      const weight = weigh(value)
      if (weight < Number.POSITIVE_INFINITY) {
        this.take(weight)
        continue
      }
      const bytes = encode(value)
      this.take(bytes.byteLength)
      decode(bytes)
      together ??= [...values]
      together[i] = undefined
      alone ??= []
      alone.push(i, this.#alone.push(bytes))
    }
    const list = this.#lists.push(together ?? values) - 1
    return alone === undefined ? { list } : { list, alone }
  }

  /** Counts bytes that the message has besides these values. */
  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) throw new TooLargeError(this.#bytes, this.#maxBytes)
  }

  /** `undefined` if nothing was added. */
  finish(): Parts | undefined {
    if (this.#lists.length === 0) return undefined
    const first = encode(this.#lists)
    if (first.byteLength > this.#maxBytes) throw new TooLargeError(first.byteLength, this.#maxBytes)
    return [first, ...this.#alone]
  }
}

/** The values of one message that was received. */
export class IncomingValues {
  readonly #parts: Parts
  #lists: readonly unknown[] | Undecodable | undefined

  constructor(parts: Parts = []) {
    this.#parts = parts
  }

  /** `count` values. Those that cannot be decoded are `Undecodable`. */
  get({ list, alone = [] }: PackedValues, count: number): unknown[] {
    const values = this.#list(list)
    if (values instanceof Undecodable) return Array(count).fill(values)
    for (let i = 0; i + 1 < alone.length; i += 2)
      values[alone[i]!] = tryDecode(this.#parts[alone[i + 1]!] as Uint8Array)
    return values
  }

  #list(list: number): unknown[] | Undecodable {
    if (this.#lists === undefined) {
      const lists = tryDecode(this.#parts[0] as Uint8Array)
      this.#lists = lists instanceof Undecodable || isArray(lists) ? lists : new Undecodable('no list')
    }
    if (this.#lists instanceof Undecodable) return this.#lists
    const values = this.#lists[list]
    return isArray(values) ? values : new Undecodable('no list')
  }
}

/** Never throws. */
export function tryDecode(bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (thrown) {
    return new Undecodable(thrown instanceof Error ? thrown.message : String(thrown))
  }
}

/**
 * The values as they can be part of the message itself, because nothing of them can go wrong; `undefined` if they have to
 * be encoded. `spread`: each is a list of arguments, of which only the elements count.
 */
export function asInline(
  values: readonly unknown[],
  spread: boolean,
  outgoing: OutgoingValues,
): readonly unknown[] | undefined {
  inlineCharacters = 0
  const inline = spread ? inlineArguments(values) : values
  if (inline === undefined || (!spread && !arePrimitive(inline))) return undefined
  outgoing.take(BYTES_PER_CHARACTER * inlineCharacters)
  return inline
}

/** Counted by `arePrimitive`. */
let inlineCharacters = 0

function arePrimitive(values: readonly unknown[]): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const type = typeof value
    if (type === 'string') inlineCharacters += (value as string).length
    else if (type === 'symbol' || type === 'function' || (type === 'object' && value !== null)) return false
  }
  return inlineCharacters <= MAX_INLINE_CHARACTERS
}

/** Copies, because an array can have anything besides its elements. */
function inlineArguments(values: readonly unknown[]): readonly unknown[] | undefined {
  const copies: unknown[] = []
  for (let i = 0; i < values.length; i++) {
    const args = values[i]
    if (!isArray(args) || args.length > MAX_INLINE_ARGUMENTS) return undefined
    const copy: unknown[] = []
    for (let j = 0; j < args.length; j++) copy.push(args[j])
    if (!arePrimitive(copy)) return undefined
    copies.push(copy)
  }
  return copies
}
