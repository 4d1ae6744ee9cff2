// Shortens text without splitting a character. Safe in a worker whose job has replaced String.prototype's methods.
import { charCodeAt, slice } from './builtins.js'

/** At most `max` UTF-16 units from the front; one less where that would leave half of a surrogate pair. */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text
  const last = charCodeAt(text, max - 1)
  return slice(text, 0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max)
}
