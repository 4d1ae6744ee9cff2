// Compiles one TypeScript job, with every source file it imports, into a single ES module in memory.
// Loads esbuild only when called.
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, BuildOptions, BuildResult, Message, OutputFile } from 'esbuild'
import { JobError, PoolBrokenError } from '../errors/classes.js'
import { environmentProblem, limitHint } from '../errors/environment.js'
import {
  type BundlePluginOptions,
  type BundleTrace,
  bundlePlugin,
  ENTRY,
  META_NAMES,
} from './bundle-plugin.js'
import { compileError } from './compile-error.js'
import { unwrapped, wrap } from './expression.js'
import { COMMONJS_EXPORTS } from './load-job.js'

type Esbuild = typeof import('esbuild')

export interface Bundle extends BundleTrace {
  readonly code: string
  /** Source map as JSON; its sources are file URLs. */
  readonly map: string
}

/** The conditions besides `import` and `require` under which Node reads a package's `exports`. */
export const CONDITIONS: readonly string[] = [
  'node-addons',
  ...((process.features as { require_module?: boolean }).require_module === true ? ['module-sync'] : []),
]

export interface BundleEntry {
  /** An absolute path without symbolic links. */
  readonly file: string
  /** Compiled in place of the file, which need not exist. */
  readonly expression?: string
}

/** Messages name files relative to `cwd`. */
export async function bundleJob(entry: BundleEntry, cwd: string): Promise<Bundle> {
  try {
    return await bundleOnce(entry, cwd)
  } catch (error) {
    if (!(error instanceof CompilerEnded)) throw error
  }
  // A signal to all processes of the run may have ended it. If so, poolrun's own handler decides before this is done.
  return bundleOnce(entry, cwd)
}

/** The compiler's process has ended, or could not be started: that says nothing about the job. */
class CompilerEnded extends PoolBrokenError {}

async function bundleOnce(entry: BundleEntry, cwd: string): Promise<Bundle> {
  checkDescriptors()
  const esbuild = privateEsbuild()
  try {
    let built = await build(esbuild, entry, { defineMeta: true, ignorePackageType: false })
    // `module.exports` in TypeScript of a package with type "module". Rare enough to compile twice.
    if (built.result?.warnings.some((warning) => warning.id === 'commonjs-variable-in-esm')) {
      built = await build(esbuild, entry, { defineMeta: true, ignorePackageType: true })
    }
    if (built.result === undefined) {
      // Compile again without the line that the plugin appends: it may have changed the message.
      const plain = await build(esbuild, entry, { defineMeta: false, ignorePackageType: false })
      const errors = plain.errors ?? built.errors
      const { expression, file } = entry
      const located = expression === undefined ? errors : errors.map((error) => unwrapped(error, expression))
      throw compileError(located, path.dirname(file), cwd)
    }
    return finish(built.result.outputFiles, entry.file, built.trace)
  } finally {
    await esbuild.stop()
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

type Built =
  | { trace: BundleTrace; result: BuildResult<{ write: false }>; errors?: undefined }
  | { trace: BundleTrace; result?: undefined; errors: readonly Message[] }

async function build(
  esbuild: Esbuild,
  { file: entry, expression }: BundleEntry,
  options: BundlePluginOptions,
): Promise<Built> {
  const trace: BundleTrace = { sources: new Map(), packages: new Set() }
  const directory = path.dirname(entry)
  const text = expression === undefined ? undefined : wrap(expression, entry)
  const buildOptions = {
    absWorkingDir: directory,
    entryPoints: [entry.includes('*') ? ENTRY : entry],
    outfile: path.join(directory, 'job.mjs'),
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    mainFields: ['main'],
    conditions: [...CONDITIONS],
    resolveExtensions: ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'],
    keepNames: true,
    define: { ...META_NAMES },
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'silent',
    plugins: [bundlePlugin(trace, options, { file: entry, text })],
  } satisfies BuildOptions
  try {
    return { trace, result: await esbuild.build(buildOptions) }
  } catch (error) {
    const errors = (error as Partial<BuildFailure>).errors
    if (errors === undefined) {
      const { message } = error as Error
      throw new CompilerEnded(
        `the compiler ended before ${entry} was compiled: ${message}${limitHint(message)}`,
        {
          cause: error,
        },
      )
    }
    return { trace, errors }
  }
}

/** `export default require_job();` is how esbuild ends a bundle whose entry is CommonJS. */
const COMMONJS_ENTRY = /^export default (require_\w+\(\));\s*$/m

function finish(files: readonly OutputFile[], entry: string, trace: BundleTrace): Bundle {
  const output = files.find((file) => !file.path.endsWith('.map'))!.text
  const map = JSON.parse(files.find((file) => file.path.endsWith('.map'))!.text) as {
    sources: string[]
    mappings: string
  }
  const directory = path.dirname(entry)
  map.sources = map.sources.map((source) => pathToFileURL(path.resolve(directory, source)).href)
  // So that the worker can tell a CommonJS module from an ES module that exports an object by default.
  let code = output.replace(
    COMMONJS_ENTRY,
    (_, call: string) =>
      `var __poolrun_exports = ${call};\nexport { __poolrun_exports as default, __poolrun_exports as ${JSON.stringify(COMMONJS_EXPORTS)} };`,
  )
  // esbuild's `__require` shim uses `require` if that exists. Only in bundles with the shim does it keep the name free.
  if (code.includes('__require')) {
    const url = JSON.stringify(pathToFileURL(entry).href)
    code = `import{createRequire as __poolrun_createRequire}from"node:module";const require=__poolrun_createRequire(${url});\n${code}`
    map.mappings = `;${map.mappings}`
  }
  return { ...trace, code, map: JSON.stringify(map) }
}
