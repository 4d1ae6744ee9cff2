// Values of jobs and callers as bytes of their own inside a message. Node reads the message itself, and a value that could
// not be read there would end the process; these bytes are decoded under `try`.
import { weigh } from '../errors/capture/weigh.js'
import { AttachingDeserializer, AttachingSerializer, bytesOf, ownBufferOf, sameType } from './attachments.js'

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
  /** The part that is the list of them. */
  readonly list: number
  /** Values that have a part of their own: offset, part, offset, part … */
  readonly alone?: readonly number[]
}

/** Each is a list of values, one value, or the bytes of a large typed array in one of those. */
export type Parts = readonly Uint8Array[]

export type CopyBytes = (bytes: Uint8Array) => Uint8Array

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
export function encode(value: unknown, attach?: (view: ArrayBufferView) => number): Buffer {
  const serializer = new AttachingSerializer(attach)
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

/**
 * Each typed array in the value has a buffer of its own size. Node makes views of the whole message, which would keep it
 * in memory and show a job the token of its worker.
 * @throws if the value cannot be read
 */
export function decode(bytes: Uint8Array, attachments: Parts = []): unknown {
  const deserializer = new OwnBuffersDeserializer(bytes, attachments)
  deserializer.readHeader()
  return deserializer.readValue()
}

class OwnBuffersDeserializer extends AttachingDeserializer {
  override _readHostObject(): unknown {
    const value = super._readHostObject()
    if (!isView(value)) return value
    const buffer = ownBufferOf(value)
    return buffer === value.buffer ? value : sameType(value, buffer)
  }
}

/** The values of one message on their way out. */
export class OutgoingValues {
  readonly #parts: Uint8Array[] = []
  readonly #maxBytes: number
  readonly #attach: (view: ArrayBufferView) => number
  /** Of all that was added. */
  #bytes = 0

  /** `copy`: for the bytes of large typed arrays. Without it, the parts share their memory. */
  constructor(maxBytes: number = MAX_MESSAGE_BYTES, copy?: CopyBytes) {
    this.#maxBytes = maxBytes
    this.#attach = (view) => {
      this.take(view.byteLength)
      const bytes = bytesOf(view)
      return this.#parts.push(copy === undefined ? bytes : copy(bytes))
    }
  }

  /**
   * Values that cannot go wrong are encoded together. The others are encoded alone, and decoded to see whether that is
   * possible: what is wrong with one of them is known here, where it can be named. Not together with those of another
   * chunk: an object that is in both would be one object at the other end, too, and one item could change the other.
   * @throws if a value cannot be cloned or cannot be read, or if it is too large
   */
  add(values: readonly unknown[]): PackedValues {
    let together: unknown[] | undefined
    let alone: number[] | undefined
    let bytes = this.#bytes
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      const weight = weigh(value)
      if (weight < Number.POSITIVE_INFINITY) {
        // Encoding this much would fail less clearly, if at all.
        bytes += weight
        if (bytes > this.#maxBytes) throw new TooLargeError(bytes, this.#maxBytes)
        continue
      }
      const part = this.#encode(value)
      decode(this.#parts[part]!, this.#parts)
      together ??= [...values]
      together[i] = undefined
      alone ??= []
      alone.push(i, part)
    }
    const list = this.#encode(together ?? values)
    return alone === undefined ? { list } : { list, alone }
  }

  #encode(value: unknown): number {
    const bytes = encode(value, this.#attach)
    this.take(bytes.byteLength)
    return this.#parts.push(bytes) - 1
  }

  /** Counts bytes that the message has besides these values. */
  take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) throw new TooLargeError(this.#bytes, this.#maxBytes)
  }

  /** `undefined` if nothing was added. */
  finish(): Parts | undefined {
    return this.#parts.length === 0 ? undefined : this.#parts
  }
}

/**
 * The values with a copy of each object that was there already. Structured clone keeps identity within a message, so
 * without it the task of one item could change the other item.
 */
export function unshared(values: readonly unknown[]): readonly unknown[] {
  const objects = new Set<unknown>()
  let copies: unknown[] | undefined
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'object' || value === null) continue
    if (objects.has(value)) {
      copies ??= [...values]
      copies[i] = copyOf(value)
    } else objects.add(value)
  }
  return copies ?? values
}

function copyOf(value: object): unknown {
  try {
    return decode(encode(value))
  } catch {
    // It cannot be cloned; sending it will fail with the reason.
    return value
  }
}

/** The values of one message that was received. */
export class IncomingValues {
  readonly #parts: Parts

  constructor(parts: Parts = []) {
    this.#parts = parts
  }

  /** `count` values. Those that cannot be decoded are `Undecodable`. */
  get({ list, alone = [] }: PackedValues, count: number): unknown[] {
    const values = this.#decode(list)
    if (values instanceof Undecodable) return Array(count).fill(values)
    if (!isArray(values)) return Array(count).fill(new Undecodable('no list'))
    for (let i = 0; i + 1 < alone.length; i += 2) values[alone[i]!] = this.#decode(alone[i + 1]!)
    return values
  }

  #decode(part: number): unknown {
    return tryDecode(this.#parts[part] as Uint8Array, this.#parts)
  }
}

/** Never throws. */
export function tryDecode(bytes: Uint8Array, attachments?: Parts): unknown {
  try {
    return decode(bytes, attachments)
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
