// Shortens text without splitting a character. Safe in a worker whose job has replaced String.prototype's methods.
import { charCodeAt, slice } from './builtins.js'

/** At most `maxLength` UTF-16 code units from the front; one less where that would split a surrogate pair. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  const last = charCodeAt(text, maxLength - 1)
  const splitsPair = last >= 0xd800 && last <= 0xdbff
  return slice(text, 0, splitsPair ? maxLength - 1 : maxLength)
}
