// Copies of large typed arrays on their way to a worker. Their memory is used again: getting a megabyte from the system,
// and a garbage collector that looks after it, cost more than copying it.

/** What is copied is rarely smaller. */
const MIN_BYTES = 16 * 1024
/** No more is kept for later: a few megabytes per worker are on their way at the same time. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024

export class WriteBuffers {
  /** By the logarithm of their size, which is a power of two. */
  readonly #free: (Uint8Array[] | undefined)[] = []
  #freeBytes = 0

  /** Belongs to the caller until it is released. */
  copyOf(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > MAX_KEPT_BYTES) return bytes.slice()
    const copy = this.#take(length).subarray(0, length)
    copy.set(bytes)
    return copy
  }

  /** Nothing reads this copy any more. */
  release(copy: Uint8Array): void {
    const size = copy.buffer.byteLength
    if (this.#freeBytes + size > MAX_KEPT_BYTES) return
    this.#freeBytes += size
    const kind = Math.log2(size)
    this.#free[kind] ??= []
    this.#free[kind].push(new Uint8Array(copy.buffer))
  }

  #take(length: number): Uint8Array {
    const kind = Math.ceil(Math.log2(Math.max(length, MIN_BYTES)))
    const free = this.#free[kind]?.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(2 ** kind)
    this.#freeBytes -= free.length
    return free
  }
}
