// Reads lines of a journal from their positions. Items come mostly in the order in which they settled, so that one read of the
// file has the lines of many.
import { indexOrEnd } from '../framing/bytes.js'
import type { JournalDisk } from './disk.js'

const LF = 0x0a
/** After a read that continued the one before it. */
const AHEAD_BYTES = 256 * 1024
/** Of the order in which items come, nothing is known. */
const ALONE_BYTES = 8 * 1024
const WINDOWS = 8

interface Window {
  bytes: Buffer
  at: number
  length: number
}

export class LineCache {
  readonly #disk: Pick<JournalDisk, 'read'>
  readonly #windows: Window[] = []
  #current: Window = { bytes: Buffer.alloc(0), at: 0, length: 0 }
  #next = 0
  bytes: Buffer = this.#current.bytes
  from = 0
  /** Without its line end. */
  to = 0

  constructor(disk: Pick<JournalDisk, 'read'>) {
    this.#disk = disk
  }

  /** The line that begins there is then `bytes[from, to)`. */
  find(at: number): void {
    if (this.#isIn(this.#current, at)) return
    for (const window of this.#windows)
      if (this.#isIn(window, at)) {
        this.#current = window
        return
      }
    const continues = this.#windows.some((window) => Math.abs(at - window.at - window.length) < ALONE_BYTES)
    for (let size = continues ? AHEAD_BYTES : ALONE_BYTES; ; size *= 4) {
      const window = this.#load(at, size)
      if (this.#isIn(window, at)) {
        this.#current = window
        return
      }
      if (window.length < size) throw new Error(`the journal has no line at byte ${at}`)
    }
  }

  #isIn(window: Window, at: number): boolean {
    const from = at - window.at
    if (from < 0 || from >= window.length) return false
    const to = indexOrEnd(window.bytes, LF, from)
    if (to >= window.length) return false
    this.bytes = window.bytes
    this.from = from
    this.to = to
    return true
  }

  #load(at: number, size: number): Window {
    const window = this.#windows[this.#next] ?? { bytes: Buffer.alloc(0), at: 0, length: 0 }
    this.#windows[this.#next] = window
    if (window.bytes.length !== size) window.bytes = Buffer.allocUnsafeSlow(size)
    window.at = at
    window.length = this.#disk.read(at, window.bytes)
    // A window that is too small for its line is read again.
    if (window.bytes.includes(LF)) this.#next = (this.#next + 1) % WINDOWS
    return window
  }
}
