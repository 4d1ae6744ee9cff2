// What the library has to say that no call can be told: as warnings of the process, which a program may listen to.
import { inspect } from 'node:util'
import type { PoolError } from '../errors/classes.js'

export function warn(warning: string | PoolError): void {
  if (typeof warning === 'string') return process.emitWarning(warning, 'PoolWarning')
  const { name, code, message, cause } = warning
  process.emitWarning(message, { type: name, code, detail: inspect(cause) })
}
