// Structured clone that leaves large typed arrays out of its bytes. They are attachments: sent as they are, and received
// into buffers of their own. Among the bytes, each would be copied once more by the writer and by the reader.
import v8 from 'node:v8'

// Taken before the job is loaded: it may replace any of these.
const { getPrototypeOf } = Object
const { isView } = ArrayBuffer

/** Below this, copying costs less than an attachment. */
const MIN_ATTACHMENT_BYTES = 16 * 1024
/** In place of the number of an attachment: the bytes follow. */
const NOT_ATTACHED = 0

/** Of each type one view without bytes, which stands for the type where the bytes are elsewhere. */
const EMPTY_VIEWS: readonly ArrayBufferView[] = [
  Buffer.alloc(0),
  new Uint8Array(0),
  new Uint8ClampedArray(0),
  new Int8Array(0),
  new Uint16Array(0),
  new Int16Array(0),
  new Uint32Array(0),
  new Int32Array(0),
  new Float32Array(0),
  new Float64Array(0),
  new BigUint64Array(0),
  new BigInt64Array(0),
  new DataView(new ArrayBuffer(0)),
]
const VIEW_PROTOTYPES = EMPTY_VIEWS.map((view) => getPrototypeOf(view) as object)

/** Node's types leave these methods out, although they are documented. */
const Serializer = v8.DefaultSerializer as new () => InstanceType<typeof v8.DefaultSerializer> & {
  _writeHostObject(value: ArrayBufferView): void
}
const Deserializer = v8.DefaultDeserializer as new (
  bytes: Uint8Array,
) => InstanceType<typeof v8.DefaultDeserializer> & { _readHostObject(): unknown }

export class AttachingSerializer extends Serializer {
  readonly #attach: ((view: ArrayBufferView) => number) | undefined

  /** `attach` takes one that is large, and returns its number, from 1. Without it, none is attached. */
  constructor(attach?: (view: ArrayBufferView) => number) {
    super()
    this.#attach = attach
  }

  override _writeHostObject(view: ArrayBufferView): void {
    const isLarge = this.#attach !== undefined && view.byteLength >= MIN_ATTACHMENT_BYTES
    const empty = isLarge ? EMPTY_VIEWS[VIEW_PROTOTYPES.indexOf(getPrototypeOf(view))] : undefined
    this.writeUint32(empty === undefined ? NOT_ATTACHED : this.#attach!(view))
    super._writeHostObject(empty ?? view)
  }
}

export class AttachingDeserializer extends Deserializer {
  readonly #attachments: readonly Uint8Array[]

  /** The attachment with the number 1 is the first. */
  constructor(bytes: Uint8Array, attachments: readonly Uint8Array[]) {
    super(bytes)
    this.#attachments = attachments
  }

  override _readHostObject(): unknown {
    const number = this.readUint32()
    const view = super._readHostObject()
    if (number === NOT_ATTACHED || !isView(view)) return view
    const attachment = this.#attachments[number - 1]
    if (!isView(attachment)) throw new Error('it has lost its bytes')
    return sameType(view, ownBufferOf(attachment))
  }
}

/** The bytes of the view in a buffer of exactly their size: its own, where that is all it holds. */
export function ownBufferOf({ buffer, byteOffset, byteLength }: ArrayBufferView): ArrayBufferLike {
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
}

/** All of the buffer, as a view of the same type as `view`. */
export function sameType(
  view: ArrayBufferView & { readonly constructor: unknown },
  buffer: ArrayBufferLike,
): ArrayBufferView {
  if (Buffer.isBuffer(view)) return Buffer.from(buffer as ArrayBuffer)
  return new (view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(buffer)
}

/** All bytes of the view. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
