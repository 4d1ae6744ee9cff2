// Lines that are collected for a message: as text, which is cheap to extend, and piece by piece as UTF-8, in memory that has
// room for the whole message: putting pieces together would copy all of it once more.
import { CHUNK_BYTES } from '../defaults.js'
import type { LineMemory } from './line-memory.js'

// Taken before the job is loaded: it may replace it.
const { utf8Write } = Buffer.prototype as unknown as {
  utf8Write(this: Uint8Array, text: string, at: number): number
}
const { apply } = Reflect

/** Text becomes bytes in pieces of about this: V8 keeps strings of more than about 128 KiB apart, which costs more. */
const PIECE_CHARACTERS = 64 * 1024
/** UTF-8 takes at most this much per UTF-16 code unit. */
const MAX_BYTES_PER_CHARACTER = 3
/** A task that returns what it takes has about as much output as a chunk has input. */
const USUAL_BYTES = 1.25 * CHUNK_BYTES
/** Longer text is measured. */
const MAX_UNMEASURED_BYTES = 4 * 1024 * 1024

export class LineBytes {
  readonly #memory: LineMemory | undefined
  #text = ''
  #bytes: Buffer | undefined
  /** How many of them are filled. */
  #length = 0

  constructor(memory?: LineMemory) {
    this.#memory = memory
  }

  add(line: string): void {
    // One that is nearly as long as a string can be has no room for anything else.
    if (line.length >= PIECE_CHARACTERS) {
      this.#textToBytes()
      this.#write(line)
      this.#text = '\n'
      return
    }
    this.#text += `${line}\n`
    if (this.#text.length >= PIECE_CHARACTERS) this.#textToBytes()
  }

  /** All lines, each with its line end. Starts over. */
  take(): Buffer {
    if (this.#bytes === undefined) {
      const bytes = Buffer.from(this.#text)
      this.#text = ''
      return bytes
    }
    this.#textToBytes()
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = undefined
    this.#length = 0
    return bytes
  }

  #textToBytes(): void {
    if (this.#text !== '') this.#write(this.#text)
    this.#text = ''
  }

  #write(text: string): void {
    this.#length += apply(utf8Write, this.#roomFor(text), [text, this.#length])
  }

  #roomFor(text: string): Buffer {
    const bytes = this.#bytes
    const length = this.#length
    const free = bytes === undefined ? 0 : bytes.length - length
    if (bytes !== undefined && MAX_BYTES_PER_CHARACTER * text.length <= free) return bytes
    const room = this.#take(text, length)
    bytes?.copy(room, 0, 0, length)
    this.#bytes = room
    return room
  }

  /** Room for `length` bytes, the text and the line end that may follow, and usually for what comes after them. */
  #take(text: string, length: number): Buffer {
    const most = MAX_BYTES_PER_CHARACTER * text.length
    // V8 measures text at 1 GB/s, which takes longer than writing it. Memory that is not filled costs nothing, unless it is
    // kept for each message.
    if (this.#memory !== undefined && most <= MAX_UNMEASURED_BYTES)
      return this.#memory.take(Math.max(MAX_BYTES_PER_CHARACTER * USUAL_BYTES, length + most + 1, 2 * length))
    const size = Math.max(USUAL_BYTES, length + Buffer.byteLength(text) + 1, 2 * length)
    return this.#memory?.take(size) ?? Buffer.allocUnsafeSlow(size)
  }
}
