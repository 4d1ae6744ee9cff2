// Words an input error: location, item index, message.
import { InputError } from '../errors/classes.js'
import type { Location } from '../framing/location.js'

export function inputError(
  file: string,
  at: Pick<Location, 'line' | 'column'>,
  index: number | undefined,
  message: string,
): InputError {
  const item = index === undefined ? '' : `item ${index}: `
  const text = `${file}:${at.line}:${at.column}: ${item}${message}`
  return new InputError(text, index === undefined ? {} : { index })
}
