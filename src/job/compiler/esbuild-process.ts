// An esbuild of our own, started by the first file that needs it.
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { JobError, PoolBrokenError } from '../../errors/classes.js'
import { environmentProblem, limitHint } from '../../errors/environment.js'

type Esbuild = typeof import('esbuild')

/** The compiler's process has ended, or could not be started: that says nothing about the job. */
export class CompilerEnded extends PoolBrokenError {
  constructor(file: string, cause: Error) {
    const { message } = cause
    super(`the compiler ended before ${file} was compiled: ${message}${limitHint(message)}`, { cause })
  }
}

/**
 * Does the work, and does it again with another esbuild if the first one ended meanwhile: a signal to all processes of the run may
 * have ended it. If so, poolrun's own handler of the signal decides before the work is done again.
 */
export async function withEsbuild<T>(work: (esbuild: EsbuildProcess) => Promise<T>): Promise<T> {
  try {
    return await withOneEsbuild(work)
  } catch (error) {
    if (!(error instanceof CompilerEnded)) throw error
  }
  return withOneEsbuild(work)
}

async function withOneEsbuild<T>(work: (esbuild: EsbuildProcess) => Promise<T>): Promise<T> {
  const esbuild = new EsbuildProcess()
  try {
    return await work(esbuild)
  } finally {
    await esbuild.stop()
  }
}

/** Started when it is first used. */
export class EsbuildProcess {
  #esbuild: Esbuild | undefined

  /** @throws JobError, PoolBrokenError */
  get(): Esbuild {
    if (this.#esbuild === undefined) {
      checkDescriptors()
      this.#esbuild = privateEsbuild()
    }
    return this.#esbuild
  }

  async stop(): Promise<void> {
    await this.#esbuild?.stop()
  }
}

/** For the pipes of esbuild's process, with some to spare. */
const NEEDED_DESCRIPTORS = 12

/** Too few of them would end this process: esbuild does not handle a `spawn` that could not make its pipes. */
function checkDescriptors(): void {
  const opened: number[] = []
  try {
    for (let i = 0; i < NEEDED_DESCRIPTORS; i++) opened.push(openSync(import.meta.filename, 'r'))
  } catch (error) {
    throw new PoolBrokenError(
      `cannot start the compiler: ${environmentProblem(error) ?? (error as Error).message}`,
      { cause: error },
    )
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

/**
 * A private instance, by loading the module past the require cache. Stopping the shared instance would break other
 * builds of the program that uses poolrun; not stopping it would keep esbuild's process alive as long as the pool.
 */
function privateEsbuild(): Esbuild {
  const require = createRequire(import.meta.filename)
  try {
    const file = require.resolve('esbuild')
    const shared = require.cache[file]
    delete require.cache[file]
    const esbuild = require(file) as Esbuild
    if (shared === undefined) delete require.cache[file]
    else require.cache[file] = shared
    return esbuild
  } catch (error) {
    throw new JobError(
      'TypeScript jobs are compiled with esbuild, which could not be loaded; is it installed?',
      {
        cause: error,
      },
    )
  }
}
