// Writes text for people to a stream whose reader may be slow or may have stopped, such as stderr. What waits for the
// reader is bounded. Jobs, which print most of it, can be made to wait meanwhile.
import { errorMonitor } from 'node:events'
import type { Writable } from 'node:stream'

const KiB = 1024
/**
 * Text beyond this is dropped and counted. Before that, jobs wait, and so does the run as long as the reader reads. What
 * workers have printed when they exit, and a run whose reader has stopped, cannot wait.
 */
const MAX_PENDING_BYTES = 8 * KiB * KiB
/** More than what is pending while jobs wait, which must not delay results. */
const WAIT_ABOVE_BYTES = KiB * KiB
/** What a string costs besides its characters. */
const STRING_BYTES = 48
/** Written at a time, so that a slow reader can be told from one that has stopped. */
const PIECE_BYTES = 16 * KiB

/** A reader that takes nothing for this long has stopped reading. */
const STALLED_AFTER_MS = 5_000

/** Called with `true` when the reader has fallen behind, with `false` once it has taken everything. */
export type OnBehind = (isBehind: boolean) => void

export class TextOutput {
  readonly #stream: Writable
  readonly #onBehind: OnBehind
  #isBehind = false
  #pending: string[] = []
  /** How many texts of `#pending` were taken from its start. */
  #taken = 0
  #pendingBytes = 0
  #droppedLines = 0
  /** How often the stream has drained. */
  #drained = 0
  #waiters: (() => void)[] = []
  #room: Promise<void> | undefined

  constructor(stream: Writable, onBehind: OnBehind) {
    this.#stream = stream
    this.#onBehind = onBehind
  }

  write(text: string): void {
    if (!this.#isBehind) {
      this.#stream.write(text)
      if (isWaiting(this.#stream)) this.#fallBehind()
      return
    }
    const bytes = text.length + STRING_BYTES
    if (this.#pendingBytes + bytes > MAX_PENDING_BYTES) {
      this.#droppedLines += text.split('\n').length - 1
      return
    }
    this.#pending.push(text)
    this.#pendingBytes += bytes
  }

  /** Resolves when there is room again, or when the reader has stopped; `undefined` while there is enough. */
  room(): Promise<void> | undefined {
    if (this.#pendingBytes > WAIT_ABOVE_BYTES) this.#room ??= this.flushed()
    return this.#room
  }

  /** Resolves when the reader has taken everything, or has taken nothing for that long. */
  flushed(stalledAfterMs = STALLED_AFTER_MS): Promise<void> {
    return new Promise((resolve) => {
      let drained = this.#drained
      const timer = setInterval(() => {
        if (drained === this.#drained) end()
        drained = this.#drained
      }, stalledAfterMs)
      const end = () => {
        clearInterval(timer)
        resolve()
      }
      if (this.#isBehind) this.#waiters.push(end)
      else this.#stream.write('', end)
    })
  }

  #fallBehind(): void {
    this.#isBehind = true
    this.#onBehind(true)
    void this.#catchUp()
  }

  async #catchUp(): Promise<void> {
    await this.#untilDrained()
    for (let text = this.#takeText(); text !== ''; text = this.#takeText()) {
      const bytes = Buffer.from(text)
      for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
        this.#stream.write(bytes.subarray(from, from + PIECE_BYTES))
        await this.#untilDrained()
      }
    }
    this.#isBehind = false
    this.#room = undefined
    this.#onBehind(false)
    // The last piece may be too short to be waited for above.
    for (const end of this.#waiters.splice(0)) this.#stream.write('', end)
  }

  /** After an error nobody reads the stream any more: whatever is written to it is dropped. */
  #untilDrained(): Promise<void> | void {
    if (!isWaiting(this.#stream)) return
    return new Promise((resolve) => {
      const end = () => {
        this.#stream.off('drain', end).off(errorMonitor, end)
        this.#drained++
        resolve()
      }
      // The monitor is no handler: whoever owns the stream decides what its errors mean.
      this.#stream.on('drain', end).on(errorMonitor, end)
    })
  }

  /** The next piece, or more if a single text is larger; empty at the end. */
  #takeText(): string {
    let text = ''
    while (this.#taken < this.#pending.length && text.length < PIECE_BYTES) {
      const next = this.#pending[this.#taken]!
      this.#pending[this.#taken++] = ''
      this.#pendingBytes -= next.length + STRING_BYTES
      text += next
    }
    // Moving what is left is cheap when it is less than what was taken.
    if (this.#taken * 2 >= this.#pending.length) {
      this.#pending = this.#pending.slice(this.#taken)
      this.#taken = 0
    }
    if (this.#pending.length > 0) return text
    return this.#droppedLines === 0 ? text : text + this.#takeNote()
  }

  #takeNote(): string {
    const note = `poolrun: warning: ${this.#droppedLines} lines were dropped here, because stderr was not read\n`
    this.#droppedLines = 0
    return note
  }
}

/** Files and terminals are written synchronously, and so is a pipe that has room: there is nothing to wait for then. */
function isWaiting(stream: Writable): boolean {
  return stream.writableNeedDrain && stream.writableLength > 0
}
