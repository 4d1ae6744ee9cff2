// Which of numbered entries has the least value. It is known at any time; a change costs one comparison per level of a
// binary tree, where looking at each of them would cost as many comparisons as there are entries.

export class Tournament {
  /** By id. A power of two of them; `Infinity` takes no part. */
  #values = Float64Array.of(Number.POSITIVE_INFINITY)
  /** By node: the id with the least value below it. Node `i` has the children `2i` and `2i + 1`, the root is 1. */
  #winners = Int32Array.of(0, 0)

  /** The id with the least value, the first of several that are equal. `undefined` if all are `Infinity`. */
  get winner(): number | undefined {
    const id = this.#winners[1]!
    return this.#values[id] === Number.POSITIVE_INFINITY ? undefined : id
  }

  /** `undefined` if all are `Infinity`. */
  get least(): number | undefined {
    const value = this.#values[this.#winners[1]!]!
    return value === Number.POSITIVE_INFINITY ? undefined : value
  }

  set(id: number, value: number): void {
    while (id >= this.#values.length) this.#grow()
    const values = this.#values
    if (values[id] === value) return
    values[id] = value
    for (let node = (values.length + id) >> 1; node > 0; node >>= 1) this.#play(node)
  }

  #play(node: number): void {
    const first = this.#winners[2 * node]!
    const second = this.#winners[2 * node + 1]!
    this.#winners[node] = this.#values[second]! < this.#values[first]! ? second : first
  }

  #grow(): void {
    const count = 2 * this.#values.length
    const values = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
    values.set(this.#values)
    this.#values = values
    this.#winners = new Int32Array(2 * count)
    for (let id = 0; id < count; id++) this.#winners[count + id] = id
    for (let node = count - 1; node > 0; node--) this.#play(node)
  }
}
