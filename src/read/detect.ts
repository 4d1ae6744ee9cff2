// Recognises JSON arrays and NDJSON by their first bytes, for inputs whose format neither the user nor the file's
// extension gives.
import { isSpace } from '../framing/bytes.js'
import { BadItem, parseBytes } from '../framing/parse.js'
import { findInnerArray, jqCommand } from './inner-array.js'
import type { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'

export const PLAIN_TEXT_HINT = 'for plain text, one item per line, use --input-format lines'

const LF = 0x0a
const BRACE = 0x7b
const BRACKET = 0x5b
/** Bytes of the first line that are parsed. A line that is wrong only at their end may be a longer number. */
const CHECKED_BYTES = 64 * 1024
/** `{` and `"`: even a bad line that begins with one of these is meant to be JSON. */
const CLEARLY_JSON = [0x7b, 0x22]

/**
 * `[` begins a JSON array, anything else is NDJSON; `undefined` while more bytes are needed.
 * @throws InputError if the first line neither is JSON nor looks like it: then no other line would be any better.
 */
export function detect(input: InputBuffer, file: string): 'json' | 'ndjson' | undefined {
  input.skipSpace()
  const { unread } = input
  const first = unread[0]
  if (first === undefined) return input.ended ? 'ndjson' : undefined
  if (first === BRACKET) return 'json'
  if (first === BRACE && isAloneInLine(unread))
    throw inputError(file, input.position, 0, hintForDocument(unread))
  if (CLEARLY_JSON.includes(first)) return 'ndjson'
  const line = firstLine(input)
  if (line === undefined) return undefined
  const value = parseBytes(line)
  if (!(value instanceof BadItem) || value.at === CHECKED_BYTES) return 'ndjson'
  throw inputError(file, input.position, 0, `this is not JSON; ${PLAIN_TEXT_HINT}`)
}

/** How every program that indents JSON begins an object, and no line of NDJSON does. */
function isAloneInLine(unread: Buffer): boolean {
  return /^.\r?\n/.test(unread.toString('latin1', 0, 3))
}

function hintForDocument(bytes: Buffer): string {
  const path = findInnerArray(bytes)
  const hint =
    path === undefined
      ? `for one line per value, use: jq -c .`
      : `for the array in it, use: ${jqCommand(path, undefined)}`
  return `this is JSON over several lines, not one value per line; ${hint} | poolrun …`
}

/** Only its first byte if that cannot begin a JSON value: a binary file may have no line end for gigabytes. */
function firstLine(input: InputBuffer): Buffer | undefined {
  const { unread, ended } = input
  if (!/[-\dtfn]/.test(String.fromCharCode(unread[0]!))) return unread.subarray(0, 1)
  const head = unread.subarray(0, CHECKED_BYTES)
  const lf = head.indexOf(LF)
  if (lf === -1 && !ended && head.length < CHECKED_BYTES) return undefined
  let end = lf === -1 ? head.length : lf
  while (end > 1 && isSpace(unread[end - 1]!)) end--
  return unread.subarray(0, end)
}
