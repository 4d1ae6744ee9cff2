// How a message crosses the channel: a head, which is the worker's token and the length, and the value as structured
// clone writes it, or as JSON text. The token shows at the first wrong byte that something else has been written to the
// channel. Large typed arrays of a message are frames of their own before it: nothing copies them to put them together.
import { AttachingDeserializer, AttachingSerializer, bytesOf } from './attachments.js'

// Taken before the job is loaded: it may replace it.
const { utf8Slice, utf8Write } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, from: number, to: number): string
  utf8Write(this: Uint8Array, text: string, at: number): number
}
const { parse } = JSON
const { apply } = Reflect

/** Descriptors of the channel in a worker, one for each direction. 3 is the flight recorder's. */
export const TO_PARENT_FD = 4
export const FROM_PARENT_FD = 5

const TOKEN_BYTES = 16
const HEAD_BYTES = TOKEN_BYTES + 4
const NO_LENGTH = Buffer.alloc(4)
const NO_BYTES = new Uint8Array(0)
/** What structured clone begins with. No text does. */
const STRUCTURED_CLONE = 0xff
/** UTF-8 takes at most this much per UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3
/** Added to the length of a frame that is an attachment of the next message. */
const ATTACHMENT = 2 ** 31
/**
 * A frame up to this length gets its memory when its head arrives. Of a larger one only what has arrived is kept: its
 * length may be wrong, and V8 would let many such buffers pile up before it collects the first.
 */
const MAX_EXPECTED_BYTES = 8 * 1024 * 1024
/** For less, reading straight into the frame would cost more than copying: what follows it takes another read. */
const MIN_DIRECT_BYTES = 64 * 1024

/** What a message that could not be deserialized is replaced with. */
export const UNREADABLE = Symbol('unreadable')

/**
 * The bytes of a message, in the order in which they are written. They share the memory of its large typed arrays.
 * @throws what structured clone throws
 */
export function framesOf(token: Uint8Array, message: object): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  let attachments = 0
  const serializer = new AttachingSerializer((view) => {
    const bytes = bytesOf(view)
    frames[frames.length] = headOf(token, ATTACHMENT + bytes.length)
    frames[frames.length] = bytes
    return ++attachments
  })
  serializer.writeRawBytes(token)
  serializer.writeRawBytes(NO_LENGTH)
  serializer.writeHeader()
  serializer.writeValue(message)
  const frame = serializer.releaseBuffer()
  frame.writeUInt32LE(frame.length - HEAD_BYTES, TOKEN_BYTES)
  frames[frames.length] = frame
  return frames
}

/** The bytes of a message that is JSON text already. Valid until the next call. */
export function frameOfText(token: Uint8Array, text: string): Uint8Array {
  const most = HEAD_BYTES + MAX_BYTES_PER_CHARACTER * text.length
  if (textFrame.length < most) textFrame = Buffer.allocUnsafeSlow(most)
  textFrame.set(token)
  const length = apply(utf8Write, textFrame, [text, HEAD_BYTES])
  textFrame.writeUInt32LE(length, TOKEN_BYTES)
  return textFrame.subarray(0, HEAD_BYTES + length)
}

let textFrame = Buffer.allocUnsafeSlow(64 * 1024)

function headOf(token: Uint8Array, length: number): Uint8Array {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  head.set(token)
  head.writeUInt32LE(length, TOKEN_BYTES)
  return head
}

/** Reads one direction of a channel. Keeps little more than has arrived, whatever length a frame claims to have. */
export class FrameReader {
  readonly #onMessage: (message: unknown) => void
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  /** `undefined` until the first frame has shown it. */
  #token: Buffer | undefined
  #isAttachment = false
  /** Of the next message. */
  #attachments: Uint8Array[] = []
  /** Of the frame that is arriving: its length, how much of it has arrived, and where that is. */
  #length = 0
  #filled = 0
  #body: Uint8Array = NO_BYTES
  /** Instead of `#body`, if it is very large. */
  #pieces: Uint8Array[] = []
  /** A copy of the bytes that were pushed last, if any of their frames needs it. */
  #kept: Uint8Array | undefined
  #isDamaged = false

  /** Without a token, that of the first frame is taken for right. */
  constructor(token: string | undefined, onMessage: (message: unknown) => void) {
    this.#token = token === undefined ? undefined : Buffer.from(token, 'hex')
    this.#onMessage = onMessage
  }

  /** False once something that is not a frame has arrived. The bytes are copied where they are kept. */
  push(bytes: Uint8Array): boolean {
    this.#kept = undefined
    for (let at = 0; at < bytes.length && !this.#isDamaged; )
      at += this.#headBytes < HEAD_BYTES ? this.#pushHead(bytes, at) : this.#pushBody(bytes, at)
    return !this.#isDamaged
  }

  /** Where the next bytes of a large frame belong. What is read into it is not pushed: it is reported with `advance`. */
  get room(): Uint8Array | undefined {
    if (this.#headBytes < HEAD_BYTES || this.#isDamaged || this.#length > MAX_EXPECTED_BYTES) return undefined
    if (this.#length - this.#filled < MIN_DIRECT_BYTES) return undefined
    return this.#rest()
  }

  /** This many bytes were read into `room`. */
  advance(bytes: number): void {
    this.#filled += bytes
    if (this.#filled === this.#length) this.#endFrame(this.#body)
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
    if (this.#headBytes < HEAD_BYTES || this.#isDamaged) return count
    this.#token ??= Buffer.from(head.subarray(0, TOKEN_BYTES))
    const length = head.readUInt32LE(TOKEN_BYTES)
    this.#isAttachment = length >= ATTACHMENT
    this.#length = this.#isAttachment ? length - ATTACHMENT : length
    this.#filled = 0
    this.#body = NO_BYTES
    if (this.#length === 0) this.#endFrame(this.#body)
    return count
  }

  #pushBody(bytes: Uint8Array, from: number): number {
    const to = from + this.#length - this.#filled
    // Text that is all there needs no memory of its own.
    if (this.#filled === 0 && to <= bytes.length && !this.#isAttachment && bytes[from] !== STRUCTURED_CLONE) {
      this.#endMessage(tryParse(bytes, from, to))
      return to - from
    }
    const part = bytes.subarray(from, to)
    // An attachment has a buffer of its own, other frames share one with those that have arrived together with them.
    if (part.length === this.#length && !this.#isAttachment) {
      this.#kept ??= bytes.slice()
      this.#endFrame(this.#kept.subarray(from, from + part.length))
    } else if (this.#length <= MAX_EXPECTED_BYTES) {
      this.#rest().set(part)
      this.advance(part.length)
    } else this.#pushPiece(part)
    return part.length
  }

  /** The memory of what has not arrived. */
  #rest(): Uint8Array {
    if (this.#filled === 0) this.#body = Buffer.allocUnsafeSlow(this.#length)
    return this.#body.subarray(this.#filled)
  }

  #pushPiece(part: Uint8Array): void {
    const pieces = this.#pieces
    pieces[pieces.length] = part.slice()
    this.#filled += part.length
    if (this.#filled < this.#length) return
    this.#pieces = []
    this.#endFrame(Buffer.concat(pieces))
  }

  #endFrame(body: Uint8Array): void {
    const attachments = this.#attachments
    if (this.#isAttachment) {
      this.#headBytes = 0
      this.#body = NO_BYTES
      attachments[attachments.length] = body
    } else if (body[0] === STRUCTURED_CLONE) this.#endMessage(tryDeserialize(body, attachments))
    else this.#endMessage(tryParse(body, 0, body.length))
  }

  #endMessage(message: unknown): void {
    this.#headBytes = 0
    this.#body = NO_BYTES
    if (this.#attachments.length > 0) this.#attachments = []
    this.#onMessage(message)
  }
}

function tryParse(bytes: Uint8Array, from: number, to: number): unknown {
  try {
    return parse(apply(utf8Slice, bytes, [from, to]))
  } catch {
    return UNREADABLE
  }
}

function tryDeserialize(body: Uint8Array, attachments: readonly Uint8Array[]): unknown {
  try {
    const deserializer = new AttachingDeserializer(body, attachments)
    deserializer.readHeader()
    return deserializer.readValue()
  } catch {
    return UNREADABLE
  }
}
