// Where the text stands in `case subject in pattern) body ;; … esac`, whose bodies may hold further ones.

type CasePart = 'subject' | 'pattern' | 'body'

export class CaseNesting {
  readonly #parts: CasePart[] = []

  /** The part of the innermost `case`. */
  get part(): CasePart | undefined {
    return this.#parts.at(-1)
  }

  /** After `case`. */
  enter(): void {
    this.#parts.push('subject')
  }

  /** The innermost `case` goes on with another part. */
  goOn(part: CasePart): void {
    this.#parts[this.#parts.length - 1] = part
  }

  /** After `esac`. */
  leave(): void {
    this.#parts.pop()
  }
}
