// The text of a template with how far it is read, the pieces read so far, and the placeholders among them.
import { type Match, matchAt, type Placeholder } from '../placeholders.js'
import type { OpenWord } from './open-word.js'
import { invalidTemplate, type Refusal, refuse, refuseNearMiss } from './refusal.js'
import type { Piece, Place, Quoting } from './words.js'

export class Cursor {
  readonly text: string
  /** `{}` stands for all items of a list, as words. */
  readonly spread: boolean
  readonly pieces: Piece[] = []
  /** The different ones, by their number minus 1. */
  readonly placeholders: Placeholder[] = []
  /** Every value can be shown in the place of its placeholder. */
  canShow = true
  /** Where all items stand as words. */
  spreadAt: number | undefined
  /** Where placeholders stand, in order. */
  readonly #places: number[] = []
  #at = 0
  /** The end of what is read: of the template, of a pair of backticks or of a here-document. */
  #limit: number

  constructor(text: string, spread: boolean) {
    this.text = text
    this.spread = spread
    this.#limit = text.length
  }

  get at(): number {
    return this.#at
  }

  get limit(): number {
    return this.#limit
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#limit
  }

  /** The next character. */
  get char(): string {
    return this.peek(0)
  }

  /** The character after so many others; it may be behind the limit. */
  peek(offset = 1): string {
    return this.text[this.#at + offset] ?? ''
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.#at)
  }

  /** The end of the line at `from`, without its line end. */
  lineEnd(from: number): number {
    const newline = this.text.indexOf('\n', from)
    return newline === -1 || newline > this.#limit ? this.#limit : newline
  }

  /** Calls `read` with an earlier end. */
  within(end: number, read: () => void): void {
    const limit = this.#limit
    this.#limit = end
    read()
    this.#limit = limit
  }

  // ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The next characters stand in the script as they are. */
  emit(length: number): void {
    this.put(this.text.slice(this.#at, this.#at + length), length)
  }

  /** As `emit`, up to `end`; a placeholder is refused. */
  emitFixed(end: number, refusal: Refusal): void {
    while (this.#at < end) {
      if (this.match()?.kind === 'placeholder') this.refuse(refusal)
      this.emit(1)
    }
  }

  /** A piece in place of the next characters. */
  put(piece: Piece, length: number): void {
    this.pieces.push(piece)
    this.#at += length
  }

  /** A placeholder in place of the next characters. */
  place(placeholder: Placeholder, quoting: Quoting, length: number): Place {
    let number = this.placeholders.indexOf(placeholder) + 1
    if (number === 0) number = this.placeholders.push(placeholder)
    const spreads = this.spread && placeholder === '{}'
    const place = { placeholder, number, quoting, spreads }
    if (spreads && quoting !== 'comment') this.spreadAt = this.#at
    this.#places.push(this.#at)
    this.put(place, length)
    return place
  }

  /** Makes the pieces since the beginning of a word one piece. */
  join({ startPiece, value }: OpenWord, isName: boolean): void {
    const raw = this.pieces.splice(startPiece)
    this.pieces.push({ raw, value, isName })
  }

  // ── searches ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A placeholder or `{{}}` that begins here. A near miss is refused. */
  match(): Match | undefined {
    const match = this.matchAt(this.#at)
    if (match?.kind === 'near-miss') refuseNearMiss(match.text, match.hint)
    return match
  }

  matchAt(at: number): Match | undefined {
    return at < this.#limit && this.text[at] === '{' ? matchAt(this.text, at) : undefined
  }

  /**
   * Where the closer of what begins here is; the template is refused if it is `missing`. `step` is the length of what is
   * at a place: 0 for the closer, more than 1 for characters that belong together. With a `refusal`, a placeholder before
   * the closer is refused.
   */
  findCloser(from: number, step: (at: number) => number, missing: string, refusal?: Refusal): number {
    let at = from
    while (at < this.#limit) {
      const length = step(at)
      if (length === 0) return at
      if (refusal !== undefined && length === 1 && this.matchAt(at)?.kind === 'placeholder')
        this.refuse(refusal, at)
      at += length
    }
    return this.unclosed(missing)
  }

  // ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Placeholders so far. */
  get placeCount(): number {
    return this.#places.length
  }

  refuse(refusal: Refusal, at = this.#at): never {
    refuse(this.text, at, refusal)
  }

  /** Refuses the first placeholder after so many others, if there is one. */
  refuseSince(count: number, refusal: Refusal): void {
    const at = this.#places[count]
    if (at !== undefined) this.refuse(refusal, at)
  }

  /** What begins at `at` is not closed. */
  unclosed(what: string, at = this.#at): never {
    invalidTemplate(`${what} (character ${at + 1})`)
  }
}
