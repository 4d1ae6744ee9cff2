// Workers warn item by item, a job that is wrong for one item is mostly wrong for thousands. A run shows each text once,
// and not endlessly many.

const MAX_TEXTS = 20

export class WarningFilter {
  readonly #seen = new Set<string>()

  /** The text to emit, if any. */
  pass(text: string): string | undefined {
    if (this.#seen.has(text) || this.#seen.size > MAX_TEXTS) return undefined
    this.#seen.add(text)
    return this.#seen.size > MAX_TEXTS ? 'more warnings of the job are not shown' : text
  }
}
