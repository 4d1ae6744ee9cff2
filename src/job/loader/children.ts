// `fork` and `new Worker` with a TypeScript file: the new process, or thread, loads it as the job is loaded.
import type { ForkOptions } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isCompiledFile } from '../file-kinds.js'

let isPatched = false

/** Loads the modules that it patches, which takes some milliseconds. */
export function patchChildren(): void {
  if (isPatched) return
  isPatched = true
  const childProcess = process.getBuiltinModule('node:child_process')
  const workerThreads = process.getBuiltinModule('node:worker_threads')
  const preload = ['--import', pathToFileURL(path.join(import.meta.dirname, 'loader-preload.cjs')).href]
  const { fork } = childProcess
  childProcess.fork = ((file: string | URL, ...rest: unknown[]) => {
    if (!hasToBeCompiled(file)) return Reflect.apply(fork, childProcess, [file, ...rest])
    const args = Array.isArray(rest[0]) ? rest[0] : []
    const options = (Array.isArray(rest[0]) ? rest[1] : (rest[1] ?? rest[0])) as ForkOptions | undefined
    const execArgv = [...(options?.execArgv ?? process.execArgv), ...preload]
    return fork(file, args as string[], { ...options, execArgv })
  }) as typeof fork
  const { Worker } = workerThreads
  workerThreads.Worker = new Proxy(Worker, {
    construct(target, [file, options, ...rest]: ConstructorParameters<typeof Worker>, newTarget) {
      const execArgv = [...(options?.execArgv ?? process.execArgv), ...preload]
      const all = options?.eval !== true && hasToBeCompiled(file) ? { ...options, execArgv } : options
      return Reflect.construct(target, [file, all, ...rest], newTarget)
    },
  })
  syncBuiltinESMExports()
}

function hasToBeCompiled(file: string | URL): boolean {
  if (typeof file === 'string') return isCompiledFile(file)
  return file instanceof URL && file.protocol === 'file:' && isCompiledFile(fileURLToPath(file))
}
