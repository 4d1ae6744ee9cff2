// Makes text that came from a job harmless on a terminal and in CI logs. Ordinary Unicode is never changed.
import { truncate } from '../capture/truncate.js'

// Whole escape sequences are removed, because the rest of one is noise: OSC, DCS, SOS, PM and APC with their terminator
// (without a terminator only the introducer, so that the message survives), CSI up to its final byte, and ESC with one
// more character.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f\r\n]*(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?/g
/** C0 without tab and line feed, DEL, C1, and the bidirectional overrides that reorder the text after them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const SUSPECT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|::|##/
/** `::name …::` at the start of a line is a GitHub command; `##name[` anywhere is one for GitHub, Azure and TeamCity. */
const CI_COMMAND = /^([^\S\n]*)(?=::[a-z-]+(?:[^\S\n][^\n]*)?::)|(?<=#)(?=#\w*\[)/gim

export function sanitise(text: string): string {
  if (!SUSPECT.test(text)) return text
  return text
    .replaceAll('\r\n', '\n')
    .replace(SEQUENCE, '')
    .replace(CONTROL, escaped)
    .replace(CI_COMMAND, '$1\\')
}

/** Each line by itself: a CR at its end is its own. */
export function sanitiseLines(text: string): string {
  return SUSPECT.test(text) ? text.split('\n').map(sanitise).join('\n') : text
}

/** `text` as one line of at most `maxLength` characters, `…` included. */
export function previewText(text: string, maxLength: number): string {
  // Only escape sequences get shorter, so this much input fills the line for any sane text, and megabytes are not scanned.
  const line = sanitise(truncate(text, maxLength * 16))
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
  return line.length <= maxLength && text.length <= maxLength * 16
    ? line
    : `${truncate(line, maxLength - 1)}…`
}

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  if (character === '\r') return '\\r'
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}
