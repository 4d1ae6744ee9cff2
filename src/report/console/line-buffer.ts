// Lines that one item printed, held back within bounds: if there are too many, the ones in the middle are dropped.

/** For the first lines, and as many again for the last: about a million characters per item. */
const HALF_CHARACTERS = 512 * 1024
/** The same in lines: an empty one has no characters and still takes memory. */
const HALF_LINES = 16 * 1024
/** Dropped lines leave the array only from this many on: to remove them one by one would take quadratic time. */
const COMPACT_FROM_LINES = 1024

export class LineBuffer {
  #head: string[] = []
  #headSize = 0
  #tail: string[] = []
  #tailSize = 0
  /** Dropped lines that are still at the start of the tail. */
  #dropped = 0
  #cutLines = 0
  #cutSize = 0

  push(text: string): void {
    const line = text.length <= HALF_CHARACTERS ? text : `${text.slice(0, HALF_CHARACTERS - 1)}…`
    if (this.#hasRoomInHead(line)) {
      this.#head.push(line)
      this.#headSize += line.length
      return
    }
    this.#tail.push(line)
    this.#tailSize += line.length
    while (this.#tailSize > HALF_CHARACTERS || this.#tail.length - this.#dropped > HALF_LINES)
      this.#dropOldest()
    if (this.#dropped > COMPACT_FROM_LINES && this.#dropped * 2 > this.#tail.length) {
      this.#tail = this.#tail.slice(this.#dropped)
      this.#dropped = 0
    }
  }

  /** Characters that are kept. */
  get size(): number {
    return this.#headSize + this.#tailSize
  }

  /** Cuts all lines. */
  cut(): void {
    this.#cutLines += this.#head.length + this.#tail.length - this.#dropped
    this.#cutSize += this.size
    this.#head = []
    this.#tail = []
    this.#headSize = this.#tailSize = this.#dropped = 0
  }

  lines(): readonly string[] {
    const tail = this.#tail.slice(this.#dropped)
    if (this.#cutLines === 0) return [...this.#head, ...tail]
    return [...this.#head, `… ${this.#cutLines} lines (${this.#cutSize} characters) cut …`, ...tail]
  }

  #hasRoomInHead(line: string): boolean {
    if (this.#tail.length > 0 || this.#cutLines > 0) return false
    return this.#head.length < HALF_LINES && this.#headSize + line.length <= HALF_CHARACTERS
  }

  #dropOldest(): void {
    const size = this.#tail[this.#dropped]!.length
    this.#tail[this.#dropped++] = ''
    this.#tailSize -= size
    this.#cutLines += 1
    this.#cutSize += size
  }
}
