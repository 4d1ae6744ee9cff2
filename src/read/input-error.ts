// Words an input error: location, item index, message.
import { InputError } from '../errors/classes.js'
import type { Position } from '../framing/position.js'

export function inputError(
  file: string,
  at: Pick<Position, 'line' | 'column'>,
  index: number | undefined,
  message: string,
): InputError {
  const item = index === undefined ? '' : `item ${index}: `
  const text = `${file}:${at.line}:${at.column}: ${item}${message}`
  return new InputError(text, index === undefined ? {} : { index })
}
