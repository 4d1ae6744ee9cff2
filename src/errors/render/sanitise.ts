// Makes text that came from a job harmless where people read it: on a terminal and in CI logs. Ordinary Unicode is
// never changed. Knows nothing of what the text says.
import { truncate } from '../capture/truncate.js'

// Whole sequences go, for what remains of one is noise: OSC, DCS, SOS, PM and APC with their terminator (without one
// only the introducer: it must not swallow the message), CSI up to its final byte, then ESC with one more.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f\r\n]*(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?/g
/** C0 but tab and line feed, DEL, C1, and the overrides that reorder what follows them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const SUSPECT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|::|##/
/** `::name …::` at the start of a line is a command to GitHub; `##name[` anywhere is one to it, Azure and TeamCity. */
const CI_COMMAND = /^([^\S\n]*)(?=::[a-z-]+(?:[^\S\n][^\n]*)?::)|(?<=#)(?=#\w*\[)/gim

export function sanitise(text: string): string {
  if (!SUSPECT.test(text)) return text
  return text
    .replaceAll('\r\n', '\n')
    .replace(SEQUENCE, '')
    .replace(CONTROL, visible)
    .replace(CI_COMMAND, '$1\\')
}

/** One line of at most `max` characters, `…` included. */
export function previewText(text: string, max: number): string {
  // Escape sequences shrink, the rest only grows: enough is taken for any sane mix, and megabytes are never scanned.
  const line = sanitise(truncate(text, max * 16))
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
  return line.length <= max && text.length <= max * 16 ? line : `${truncate(line, max - 1)}…`
}

function visible(character: string): string {
  const code = character.charCodeAt(0)
  if (character === '\r') return '\\r'
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
}
