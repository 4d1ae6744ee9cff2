// What is special about each framing, so that one place lists all of them.
import type { Framing } from '../model.js'
import { isBlank } from './bytes.js'

interface FramingTraits {
  /** The byte after an item. `element`: commas of JSON, `record`: line ends outside quotes; only a scanner finds them. */
  readonly delimiter: number | 'element' | 'record'
  /** Whether an item is JSON, text that becomes a string as it is, or fields that become an object. */
  readonly items: 'json' | 'text' | 'fields'
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
  csv: { delimiter: 'record', items: 'fields', skips: nothing },
  records: { delimiter: LF, items: 'json', skips: nothing },
}
