// `fork` and `new Worker` with a TypeScript file: the new process, or thread, loads it as the job is loaded.
import type { ForkOptions } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isCompiledFile } from '../file-kinds.js'

type Compiler = typeof import('../compiler/run-time.js')

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
    const args = Array.isArray(rest[0]) ? rest[0] : []
    const options = (Array.isArray(rest[0]) ? rest[1] : (rest[1] ?? rest[0])) as ForkOptions | undefined
    const source = typescriptOf(file, options?.cwd)
    if (source === undefined) return Reflect.apply(fork, childProcess, [file, ...rest])
    const execArgv = [...(options?.execArgv ?? process.execArgv), ...preload]
    return fork(source, args as string[], { ...options, execArgv })
  }) as typeof fork
  const { Worker } = workerThreads
  workerThreads.Worker = new Proxy(Worker, {
    construct(target, [file, options, ...rest]: ConstructorParameters<typeof Worker>, newTarget) {
      const source = options?.eval === true ? undefined : typescriptOf(file)
      if (source === undefined) return Reflect.construct(target, [file, options, ...rest], newTarget)
      const execArgv = [...(options?.execArgv ?? process.execArgv), ...preload]
      return Reflect.construct(target, [source, { ...options, execArgv }, ...rest], newTarget)
    },
  })
  syncBuiltinESMExports()
}

/** The file that has to be compiled: the named one, or its source where there is none of that name. */
function typescriptOf(file: string | URL, cwd: string | URL = ''): string | URL | undefined {
  // Node says what is wrong with other values.
  if (typeof file !== 'string' && !(file instanceof URL && file.protocol === 'file:')) return undefined
  const named = typeof file === 'string' ? file : fileURLToPath(file)
  if (isCompiledFile(named)) return file
  const absolute = path.resolve(typeof cwd === 'string' ? cwd : fileURLToPath(cwd), named)
  if (existsSync(absolute)) return undefined
  const compiler = createRequire(import.meta.filename)(
    path.join(import.meta.dirname, 'compiler.cjs'),
  ) as Compiler
  const source = new compiler.RunTimeCompiler(undefined).sourceOf(pathToFileURL(absolute).href)
  return source !== undefined && isCompiledFile(source) ? source : undefined
}
