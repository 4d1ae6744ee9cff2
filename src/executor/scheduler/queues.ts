// Two small queues. The cost per entry of the first is constant, that of the second grows with the logarithm of its length.

/** First in, first out. `unshift` puts an entry in front of all others. */
export class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined as T
    // More than half is free: moving the rest costs at most one copy per entry.
    if (this.#head > 32 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item
    else this.#items.unshift(item)
  }

  /** Leaves it empty. */
  takeAll(): readonly T[] {
    const all = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    return all
  }
}

/** Earliest first. A binary heap: the children of index `i` are at `2i + 1` and `2i + 2`. */
export class DelayQueue<T> {
  readonly #heap: { at: number; item: T }[] = []

  get length(): number {
    return this.#heap.length
  }

  get earliest(): number | undefined {
    return this.#heap[0]?.at
  }

  /** The earliest entry, due or not. */
  get first(): T | undefined {
    return this.#heap[0]?.item
  }

  add(at: number, item: T): void {
    const heap = this.#heap
    const entry = { at, item }
    let index = heap.push(entry) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at <= at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  /** The earliest entry, if it is due. */
  take(now: number): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = heap.pop()!
    if (heap.length > 0) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
        if (heap[child]!.at >= last.at) break
        heap[index] = heap[child]!
        index = child
      }
      heap[index] = last
    }
    return first.item
  }

  /** In no particular order. Leaves it empty. */
  takeAll(): readonly T[] {
    return this.#heap.splice(0).map(({ item }) => item)
  }
}
