// How much of one failure may travel: enough for any error written by a person, little enough that a million hostile
// ones cannot fill the parent. What is cut says so.

import { max } from './builtins.js'
import { truncate } from './truncate.js'

/** Errors of one tree, causes and aggregated ones together. */
const MAX_ERRORS = 100
/** How far causes and aggregated errors may nest. */
export const MAX_DEPTH = 20
/** Parts of one AggregateError. */
export const MAX_PARTS = 50
/** Own properties of one error. */
export const MAX_PROPS = 100
/** Characters of messages and properties together. */
const MAX_CHARACTERS = 64 * 1024
/** Every text gets this much, also after an earlier one spent the rest. */
const FLOOR = 512
/** Frames do not count above: fifty of them rarely reach a quarter of it. */
const MAX_FRAMES_CHARACTERS = 16 * 1024

/** What is left for the rest of one tree of errors. */
export class Limits {
  #characters = MAX_CHARACTERS
  #errors = MAX_ERRORS

  text(text: string): string {
    const allowed = max(this.#characters, FLOOR)
    this.#characters -= text.length
    return text.length <= allowed
      ? text
      : `${truncate(text, allowed)}… [cut, ${text.length - allowed} more characters]`
  }

  /** Takes `bytes` of what is left, if they fit. */
  fits(bytes: number): boolean {
    if (bytes > this.#characters) return false
    this.#characters -= bytes
    return true
  }

  oneMoreError(): boolean {
    this.#errors -= 1
    return this.#errors >= 0
  }
}

export function cutFrames(frames: string): string {
  return frames.length <= MAX_FRAMES_CHARACTERS ? frames : `${truncate(frames, MAX_FRAMES_CHARACTERS)}…`
}
