// What one item printed, held back: the beginning and the end of it, within bounds. Knows nothing of items.

/** Characters of each half; together 1 MiB for an item. */
const HALF = 512 * 1024

export class LineBuffer {
  readonly #head: string[] = []
  #headSize = 0
  #tail: string[] = []
  #tailSize = 0
  /** Lines of the tail that were dropped but are still in the array. */
  #dropped = 0
  #cutLines = 0
  #cutSize = 0

  push(text: string): void {
    const line = text.length <= HALF ? text : `${text.slice(0, HALF - 1)}…`
    if (this.#tail.length === 0 && this.#headSize + line.length <= HALF) {
      this.#head.push(line)
      this.#headSize += line.length
      return
    }
    this.#tail.push(line)
    this.#tailSize += line.length
    while (this.#tailSize > HALF) this.#dropOldest()
    if (this.#dropped > 1024 && this.#dropped * 2 > this.#tail.length) {
      this.#tail = this.#tail.slice(this.#dropped)
      this.#dropped = 0
    }
  }

  lines(): readonly string[] {
    const tail = this.#tail.slice(this.#dropped)
    if (this.#cutLines === 0) return [...this.#head, ...tail]
    return [...this.#head, `… ${this.#cutLines} lines (${this.#cutSize} characters) cut …`, ...tail]
  }

  #dropOldest(): void {
    const size = this.#tail[this.#dropped]!.length
    this.#tail[this.#dropped++] = ''
    this.#tailSize -= size
    this.#cutLines += 1
    this.#cutSize += size
  }
}
