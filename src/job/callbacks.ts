// Loads the module of `--callbacks` into the parent: compiled like a job, it may export two functions.
import { JobError } from '../errors/classes.js'
import { type CompileOptions, compileJob } from './compile.js'
import { loadJob } from './load-job.js'
import { resolveJob, showPath } from './reference.js'

export interface Callbacks {
  readonly callback?: (result: unknown, index: number) => unknown
  readonly errorCallback?: (error: unknown, index: number) => unknown
}

export async function loadCallbacks(
  path: string,
  cwd: string = process.cwd(),
  env?: CompileOptions['env'],
): Promise<Callbacks> {
  const file = resolveJob(path, cwd)
  const display = showPath(file, cwd)
  const nodeOptions = process.execArgv
  const source = await compileJob(file, env === undefined ? { cwd, nodeOptions } : { cwd, env, nodeOptions })
  const job = await loadJob(source).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    throw new JobError(`${display} threw while loading: ${message}`, { cause: error })
  })
  const callbacks: { -readonly [Name in keyof Callbacks]: Callbacks[Name] } = {}
  for (const name of ['callback', 'errorCallback'] as const) {
    const value = job.get(name)
    if (typeof value === 'function') callbacks[name] = value as NonNullable<Callbacks[typeof name]>
    else if (value !== undefined) throw new JobError(`the export '${name}' of ${display} is not a function`)
  }
  if (callbacks.callback === undefined && callbacks.errorCallback === undefined) {
    throw new JobError(`${display} exports neither callback(result, index) nor errorCallback(error, index)`)
  }
  return callbacks
}
