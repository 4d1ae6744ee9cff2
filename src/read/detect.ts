// Tells what an input is from its first bytes, where neither the user nor the file's name did.
import { isSpace } from '../framing/bytes.js'
import { BadItem, parseBytes } from '../framing/parse.js'
import type { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'

const PLAIN_TEXT_HINT = 'for plain text, one item a line, use --input-format lines'

const LF = 0x0a
const ARRAY = 0x5b
/** `{` and `"`: a bad line that begins so is meant to be JSON. */
const CLEARLY_JSON = [0x7b, 0x22]

/**
 * `[` is a JSON array, anything else NDJSON; `undefined` while more bytes are needed. A first line that neither is
 * JSON nor looks like it means that the input is something else, and no line of it would be any better.
 */
export function detect(window: InputBuffer, file: string): 'json' | 'ndjson' | undefined {
  window.skipSpace()
  const { unread } = window
  const first = unread[0]
  if (first === undefined) return window.ended ? 'ndjson' : undefined
  if (first === ARRAY) return 'json'
  if (CLEARLY_JSON.includes(first)) return 'ndjson'
  const line = firstLine(window)
  if (line === undefined) return undefined
  if (!(parseBytes(line) instanceof BadItem)) return 'ndjson'
  throw inputError(file, window.position, 0, `this is not JSON; ${PLAIN_TEXT_HINT}`)
}

/** Just its first byte where that cannot begin a JSON value, so that a binary file is not read for its line end. */
function firstLine(window: InputBuffer): Buffer | undefined {
  const { unread, ended } = window
  if (!/[-\dtfn]/.test(String.fromCharCode(unread[0]!))) return unread.subarray(0, 1)
  const lf = unread.indexOf(LF)
  if (lf === -1 && !ended) return undefined
  let end = lf === -1 ? unread.length : lf
  while (end > 1 && isSpace(unread[end - 1]!)) end--
  return unread.subarray(0, end)
}
