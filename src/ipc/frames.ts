// How a message crosses the channel: a head, which is the worker's token and the length, and the value as structured
// clone writes it. The token shows at the first wrong byte that something else has been written to the channel.
import v8 from 'node:v8'

// Taken before the job is loaded: it may replace any of these.
const { DefaultSerializer, deserialize } = v8
const { Buffer } = globalThis

/** Descriptors of the channel in a worker, one for each direction. 3 is the flight recorder's. */
export const TO_PARENT_FD = 4
export const FROM_PARENT_FD = 5

const TOKEN_BYTES = 16
const HEAD_BYTES = TOKEN_BYTES + 4
const NO_LENGTH = Buffer.alloc(4)

/** What a message that could not be deserialized is replaced with. */
export const UNREADABLE = Symbol('unreadable')

/** @throws what structured clone throws */
export function frameOf(token: string, message: object): Buffer {
  const serializer = new DefaultSerializer()
  serializer.writeRawBytes(Buffer.from(token, 'hex'))
  serializer.writeRawBytes(NO_LENGTH)
  serializer.writeHeader()
  serializer.writeValue(message)
  const frame = serializer.releaseBuffer()
  frame.writeUInt32LE(frame.length - HEAD_BYTES, TOKEN_BYTES)
  return frame
}

/** Reads one direction of a channel. Keeps only what has arrived, whatever length a frame claims to have. */
export class FrameReader {
  readonly #onMessage: (message: unknown) => void
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  /** `undefined` until the first frame has shown it. */
  #token: Buffer | undefined
  #body: Uint8Array[] = []
  /** Bytes of the body that have not arrived. */
  #missing = 0
  #isDamaged = false

  /** Without a token, that of the first frame is taken for right. */
  constructor(token: string | undefined, onMessage: (message: unknown) => void) {
    this.#token = token === undefined ? undefined : Buffer.from(token, 'hex')
    this.#onMessage = onMessage
  }

  /** False once something that is not a frame has arrived. The bytes are kept: they must not change. */
  push(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length && !this.#isDamaged; ) {
      at += this.#headBytes < HEAD_BYTES ? this.#pushHead(bytes, at) : this.#pushBody(bytes, at)
      if (this.#headBytes === HEAD_BYTES && this.#missing === 0) this.#endFrame()
    }
    return !this.#isDamaged
  }

  #pushHead(bytes: Uint8Array, from: number): number {
    const head = this.#head
    const start = this.#headBytes
    const count = Math.min(HEAD_BYTES - start, bytes.length - from)
    for (let i = 0; i < count; i++) {
      const at = start + i
      head[at] = bytes[from + i]!
      if (this.#token !== undefined && at < TOKEN_BYTES && head[at] !== this.#token[at])
        this.#isDamaged = true
    }
    this.#headBytes += count
    if (this.#headBytes < HEAD_BYTES) return count
    this.#token ??= Buffer.from(head.subarray(0, TOKEN_BYTES))
    this.#missing = head.readUInt32LE(TOKEN_BYTES)
    return count
  }

  #pushBody(bytes: Uint8Array, from: number): number {
    const part = bytes.subarray(from, from + this.#missing)
    this.#body[this.#body.length] = part
    this.#missing -= part.length
    return part.length
  }

  #endFrame(): void {
    if (this.#isDamaged) return
    const parts = this.#body
    this.#body = []
    this.#headBytes = 0
    this.#onMessage(tryDeserialize(parts.length === 1 ? parts[0]! : Buffer.concat(parts)))
  }
}

function tryDeserialize(body: Uint8Array): unknown {
  try {
    return deserialize(body)
  } catch {
    return UNREADABLE
  }
}
