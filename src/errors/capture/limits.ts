// How much of one failure may travel: enough for any error written by a person, little enough that a million hostile
// errors cannot fill the parent's memory. Truncated text ends with a note.

import { max } from './builtins.js'
import { truncate } from './truncate.js'

/** Errors of one tree, causes and aggregated errors together. */
const MAX_ERRORS = 100
/** How deep causes and aggregated errors may nest. */
export const MAX_DEPTH = 20
/** Inner errors of one AggregateError. */
export const MAX_INNER_ERRORS = 50
/** Own properties of one error. */
export const MAX_PROPS = 100
/** Characters of all messages and properties of one tree. */
const MAX_CHARACTERS = 64 * 1024
/** Characters that every text gets, even after earlier texts used up the budget. */
const MIN_TEXT_CHARACTERS = 512
/** Characters of one error's frames. Not part of the budget above: fifty frames rarely reach a quarter of this. */
const MAX_FRAMES_CHARACTERS = 16 * 1024

/** The budget that is left for the rest of one tree of errors. */
export class Limits {
  #characters = MAX_CHARACTERS
  #errors = MAX_ERRORS

  /** `text` as far as the budget allows, with a note on what is missing. */
  truncate(text: string): string {
    const allowed = max(this.#characters, MIN_TEXT_CHARACTERS)
    this.#characters -= text.length
    return text.length <= allowed
      ? text
      : `${truncate(text, allowed)}… [cut, ${text.length - allowed} more characters]`
  }

  /** Takes `bytes` from the budget if they fit; otherwise takes nothing. */
  tryTake(bytes: number): boolean {
    if (bytes > this.#characters) return false
    this.#characters -= bytes
    return true
  }

  tryTakeError(): boolean {
    this.#errors -= 1
    return this.#errors >= 0
  }
}

export function truncateFrames(frames: string): string {
  return frames.length <= MAX_FRAMES_CHARACTERS ? frames : `${truncate(frames, MAX_FRAMES_CHARACTERS)}…`
}
