// What is special about each framing, so that one place lists all of them.
import type { Framing } from '../model.js'
import { isBlank } from './bytes.js'

interface FramingTraits {
  /** The byte after an item. `element`: commas of JSON, which only a scanner finds. */
  readonly delimiter: number | 'element'
  /** Whether an item is JSON, or text that becomes a string as it is. */
  readonly items: 'json' | 'text'
  /** Whether the bytes between two delimiters are not an item. */
  readonly skips: (bytes: Buffer, start: number, end: number) => boolean
}

export const LF = 0x0a
export const CR = 0x0d
export const NUL = 0

const isEmptyLine = (bytes: Buffer, start: number, end: number) =>
  start === end || (end - start === 1 && bytes[start] === CR)
const nothing = () => false

export const FRAMINGS: Readonly<Record<Framing, FramingTraits>> = {
  ndjson: { delimiter: LF, items: 'json', skips: isBlank },
  json: { delimiter: 'element', items: 'json', skips: nothing },
  lines: { delimiter: LF, items: 'text', skips: isEmptyLine },
  nul: { delimiter: NUL, items: 'text', skips: nothing },
  csv: { delimiter: LF, items: 'json', skips: nothing },
}
