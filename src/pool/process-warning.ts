// Problems that no call can reject with, as warnings of the process, which a program can listen to.
import { inspect } from 'node:util'
import type { PoolError } from '../errors/classes.js'

export function emitWarning(warning: string | PoolError): void {
  if (typeof warning === 'string') return process.emitWarning(warning, 'PoolWarning')
  const { name, code, message, cause } = warning
  process.emitWarning(message, { type: name, code, detail: inspect(cause) })
}
