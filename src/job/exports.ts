// Whether a loaded job module has the task that is asked for, and what to tell the user when not.
// Pure: sees names and kinds of exports, never the module.
import { JobError } from '../errors/classes.js'
import type { JobExports } from '../ipc/protocol.js'
import { closestName } from './did-you-mean.js'

/** Exports that poolrun itself calls or reads; never what a user meant by a task. */
const RESERVED = new Set(['initializer', 'finalizer', 'input'])

/** `file` as it is to be shown. */
export function checkExport(exports: JobExports, name: string, file: string): JobError | undefined {
  const kind = Object.hasOwn(exports, name) ? exports[name] : undefined
  if (kind === 'function') return undefined
  const tasks = Object.keys(exports).filter((key) => exports[key] === 'function' && !RESERVED.has(key))
  const wanted = name === 'default' ? 'default export' : `export '${name}'`
  const fault = kind === undefined ? `${file} has no ${wanted}` : `the ${wanted} of ${file} is not a function`
  return new JobError(`${fault}; ${advice(name, tasks, file)}`)
}

function advice(name: string, tasks: readonly string[], file: string): string {
  if (tasks.length === 0) {
    return 'a job module exports its task as a function: export default async function task(item) { … }'
  }
  const named = tasks.filter((task) => task !== 'default')
  const near = closestName(name, named)
  const hint = near === undefined ? '' : `did you mean ${file}#${near}? `
  const list = tasks.map((task) => (task === 'default' ? 'default' : `#${task}`)).join(', ')
  return `${hint}its functions are: ${list}`
}
