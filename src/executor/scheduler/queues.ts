// Two small queues whose cost an item does not grow with their length. Data structures only.

/** First in, first out; `unshift` for what must go before everything else. */
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
    // Half of it is behind us: moving the rest costs each item once.
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

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}

/** Earliest first: a binary heap. */
export class DelayQueue<T> {
  readonly #heap: { at: number; item: T }[] = []

  get length(): number {
    return this.#heap.length
  }

  get earliest(): number | undefined {
    return this.#heap[0]?.at
  }

  add(at: number, item: T): void {
    const heap = this.#heap
    let place = heap.push({ at, item }) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (heap[above]!.at <= at) break
      heap[place] = heap[above]!
      place = above
    }
    heap[place] = { at, item }
  }

  /** The earliest, if its time has come. */
  take(now: number): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = heap.pop()!
    if (heap.length > 0) {
      let place = 0
      for (;;) {
        let below = 2 * place + 1
        if (below >= heap.length) break
        if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++
        if (heap[below]!.at >= last.at) break
        heap[place] = heap[below]!
        place = below
      }
      heap[place] = last
    }
    return first.item
  }

  clear(): void {
    this.#heap.length = 0
  }
}
