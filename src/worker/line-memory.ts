// Memory for results as bytes, which is used again once they were sent. The system clears memory that it gives, page by
// page, when it is first touched: that takes longer than filling it.

/** For more, memory is taken from the system each time. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024

export class LineMemory {
  #block = Buffer.alloc(0)
  #used = 0

  /** The caller's until `reset`. */
  take(size: number): Buffer {
    if (size > MAX_KEPT_BYTES) return Buffer.allocUnsafeSlow(size)
    if (size > this.#block.length - this.#used) {
      // What was taken before stays in the block that it is in. The next result may be larger.
      this.#block = Buffer.allocUnsafeSlow(Math.min(2 * size, MAX_KEPT_BYTES))
      this.#used = 0
    }
    const start = this.#used
    this.#used += size
    return this.#block.subarray(start, this.#used)
  }

  /** Nobody uses what was taken any more. */
  reset(): void {
    this.#used = 0
  }
}
