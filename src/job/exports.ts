// Checks that a job module exports the functions that a run needs, and words what is wrong if it does not.
// Pure: gets the names and kinds of the exports, not the module.
import { JobError } from '../errors/classes.js'
import type { JobExports } from '../ipc/protocol.js'
import { closestName } from './did-you-mean.js'

/** Exports that poolrun itself calls or reads, so they are never suggested as tasks. */
const RESERVED = new Set(['initializer', 'finalizer', 'input', 'shouldRetry'])

/** What a job that is an expression has for a file. */
const EXPRESSION = '--eval'

/** What is wrong with the export of a task; `undefined` if it is a function. `file` as shown to the user. */
export function checkExport(exports: JobExports, name: string, file: string): JobError | undefined {
  const kind = kindOf(exports, name)
  if (kind === 'function') return undefined
  if (file === EXPRESSION)
    return new JobError("the value of --eval is not a function; an example of one is 'item => item * 2'")
  const tasks = Object.keys(exports).filter((key) => exports[key] === 'function' && !RESERVED.has(key))
  const wanted = name === 'default' ? 'default export' : `export '${name}'`
  const problem =
    kind === undefined ? `${file} has no ${wanted}` : `the ${wanted} of ${file} is not a function`
  return new JobError(`${problem}; ${advice(name, tasks, file)}`)
}

/** What is wrong with an initializer that was named in the options. */
export function checkInitializer(exports: JobExports, name: string): TypeError | undefined {
  if (kindOf(exports, name) === 'function') return undefined
  return new TypeError(`the job module exports no function named '${name}'`)
}

/** An inherited name like `toString` is not an export. */
function kindOf(exports: JobExports, name: string): JobExports[string] | undefined {
  return Object.hasOwn(exports, name) ? exports[name] : undefined
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
