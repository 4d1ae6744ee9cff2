// A word while it is read.
import type { Place, Word } from './words.js'

export class OpenWord {
  /** Where its pieces begin. */
  readonly startPiece: number
  /** What it means, as far as the template says it. */
  readonly value: (string | Place)[] = []
  /** It has parts that only the shell knows. */
  isDynamic = false
  /** It has characters that a shell expands to file names or alternatives. */
  isPattern = false
  isQuoted = false
  #holds = false
  #spreads = false

  constructor(startPiece: number) {
    this.startPiece = startPiece
  }

  add(text: string): void {
    const last = this.value.length - 1
    if (typeof this.value[last] === 'string') this.value[last] += text
    else this.value.push(text)
  }

  addPlace(place: Place): void {
    this.value.push(place)
    this.#holds = true
    this.#spreads ||= place.spreads
  }

  /** A quote begins: with nothing in it, it is a word too. */
  quote(): void {
    this.isQuoted = true
    if (this.value.length === 0) this.add('')
  }

  /** It holds a placeholder. */
  get holds(): boolean {
    return this.#holds
  }

  /** Its text without placeholders. */
  get text(): string {
    return this.value.filter((part) => typeof part === 'string').join('')
  }

  /** Its text, if it is written as keywords of the shell are. */
  get keyword(): string {
    return this.isQuoted || this.isDynamic || this.holds ? '' : this.text
  }

  /** Its meaning is known, but for the values of placeholders. */
  get isFixed(): boolean {
    return !this.isDynamic && !this.isPattern
  }

  /** As a word of its command. */
  close(): Word {
    const [first] = this.value
    return {
      text: this.isDynamic && !this.holds && this.value.length !== 1 ? '' : this.text,
      prefix: typeof first === 'string' ? first : '',
      holds: this.holds,
      spreads: this.#spreads,
    }
  }
}
