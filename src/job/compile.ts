// Turns the file of a job into the module that workers import: JavaScript as it is, TypeScript compiled and cached. The
// parent never imports a job.
// Limits of the cache: a new file that an import would now find first is noticed only if it is a tsconfig.json, and a
// package is compared by its package.json, not by its content.
import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { JobError, PoolBrokenError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { type Bundle, type BundleEntry, bundleJob, CONDITIONS } from './bundle.js'
import { ownPackageFile } from './bundle-plugin.js'
import { find, type Inputs, sha256, store } from './cache.js'
import { type Env, privateFolder, sharedFolder } from './cache-folder.js'
import { nearest, tsconfigChain } from './package-files.js'
import { prune } from './prune.js'
import { isTypeScript, showPath } from './reference.js'

export interface CompileOptions {
  /** What paths in messages are relative to. */
  readonly cwd?: string
  readonly env?: Env
}

/** Part of every cache key. Increase it when the same sources compile to something else. */
const OUTPUT_VERSION = 1

/** `file` comes from `resolveJob`: it is absolute and exists. Rejects with `JobError`, or `PoolBrokenError` where the machine lacks something. */
export async function compileJob(file: string, options: CompileOptions = {}): Promise<JobSource> {
  const { cwd = process.cwd(), env = process.env } = options
  if (!isTypeScript(file)) {
    checkReadable(file, cwd)
    return { url: pathToFileURL(file).href, isCompiled: false }
  }
  return compile({ file: realpathSync(file) }, cwd, env)
}

/** The value of the expression becomes the default export of a module `name` in `cwd`, where its imports resolve. */
export async function compileExpression(
  expression: string,
  name: string,
  { cwd = process.cwd(), env = process.env }: CompileOptions = {},
): Promise<JobSource> {
  return compile({ file: path.join(realpathSync(cwd), name), expression }, cwd, env)
}

async function compile(entry: BundleEntry, cwd: string, env: Env): Promise<JobSource> {
  // With the path of this file, so that two installations of poolrun never use each other's output.
  const key = sha256(
    JSON.stringify([OUTPUT_VERSION, import.meta.filename, entry.file, CONDITIONS, entry.expression]),
  )
  const shared = sharedFolder(env)
  const cached = shared === undefined ? undefined : find(shared, key)
  if (cached !== undefined) return compiled(cached)

  const bundle = await bundleJob(entry, cwd)
  return compiled(storeBundle(bundle, shared, key, path.dirname(entry.file)))
}

function compiled(file: string): JobSource {
  return { url: pathToFileURL(file).href, isCompiled: true }
}

function checkReadable(file: string, cwd: string): void {
  try {
    closeSync(openSync(file, 'r'))
  } catch (error) {
    throw new JobError(`cannot read ${showPath(file, cwd)}: ${(error as Error).message}`, { cause: error })
  }
}

/** Stores it in the shared folder if that is possible, and returns the file of the module. */
function storeBundle(bundle: Bundle, shared: string | undefined, key: string, folder: string): string {
  const output = { code: bundle.code, map: bundle.map, inputs: inputsOf(bundle, folder) }
  if (shared !== undefined) {
    try {
      const stored = store(shared, key, output)
      prune(shared)
      return stored
    } catch {
      // Read-only or full: store it for this process alone.
    }
  }
  try {
    return store(privateFolder(), key, output)
  } catch (error) {
    throw new PoolBrokenError(
      `nowhere to write the compiled job: ${(error as Error).message}; set TMPDIR to a folder that can be written to`,
      { cause: error },
    )
  }
}

/** `folder` is that of the job, which is not among the sources where it is an expression. */
function inputsOf(bundle: Bundle, folder: string): Inputs {
  const directories = new Set([folder, ...[...bundle.sources.keys()].map((source) => path.dirname(source))])
  const tsconfigs = new Set<string>()
  const packageFiles = new Set([
    ownPackageFile(),
    createRequire(import.meta.filename).resolve('esbuild/package.json'),
  ])
  const absent = new Set<string>()
  for (const directory of directories) {
    const tsconfig = nearest('tsconfig.json', directory)
    for (const file of tsconfig.absent) absent.add(file)
    if (tsconfig.file !== undefined) tsconfigChain(tsconfig.file, tsconfigs)
  }
  for (const directory of [...directories, ...[...bundle.packages].map((file) => path.dirname(file))]) {
    const { file } = nearest('package.json', directory)
    if (file !== undefined) packageFiles.add(file)
  }

  const contents = Object.fromEntries(bundle.sources)
  for (const file of [...tsconfigs, ...packageFiles]) contents[file] = sha256(readFileSync(file))
  return { contents, present: [...bundle.packages], absent: [...absent] }
}
