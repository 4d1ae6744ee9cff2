// From the file of a job to the module that workers import: JavaScript as it is, TypeScript compiled once and kept.
// The parent never imports a job. Limits: a file that comes into being later and would now be found first by an
// import is noticed only when it is a tsconfig.json; what packages contain is not part of the fingerprint.
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { JobError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { type Bundle, bundleJob, CONDITIONS } from './bundle.js'
import { ownPackageFile } from './bundle-plugin.js'
import { type Entry, find, type Inputs, sha256, store } from './cache.js'
import { type Env, privateFolder, sharedFolder } from './cache-folder.js'
import { nearest, tsconfigChain } from './package-files.js'
import { prune } from './prune.js'
import { isTypeScript, showPath } from './reference.js'

export interface CompiledJob {
  readonly source: JobSource
  /**
   * sha256 of what decides the job's behaviour, the same wherever the project lies: its sources and tsconfig.
   * Of a JavaScript job the file itself, without what it imports.
   */
  readonly fingerprint: string
  /** Source map of the compiled module. */
  readonly map?: string
}

export interface CompileOptions {
  /** What paths in messages are relative to. */
  readonly cwd?: string
  readonly env?: Env
}

/** Part of every cache key. Increase it when the same sources compile to something else. */
const OUTPUT_VERSION = 1

/** `file` is absolute and exists: `resolveJob` has seen to it. Rejects with `JobError`. */
export async function compileJob(file: string, options: CompileOptions = {}): Promise<CompiledJob> {
  const { cwd = process.cwd(), env = process.env } = options
  if (!isTypeScript(file)) {
    return { source: { url: pathToFileURL(file).href, file }, fingerprint: sha256(read(file, cwd)) }
  }
  const entry = realpathSync(file)
  // With the path of this file, so that two installations of poolrun never use each other's output.
  const key = sha256(JSON.stringify([OUTPUT_VERSION, import.meta.filename, entry, CONDITIONS]))
  const shared = sharedFolder(env)
  const known = shared === undefined ? undefined : find(shared, key)
  if (known !== undefined) return compiled(file, known)

  const bundle = await bundleJob(entry, cwd)
  return compiled(file, keep(shared, key, bundle, entry))
}

function compiled(file: string, { file: output, map, fingerprint }: Entry): CompiledJob {
  return { source: { url: pathToFileURL(output).href, file }, fingerprint, map }
}

function read(file: string, cwd: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new JobError(`cannot read ${showPath(file, cwd)}: ${(error as Error).message}`, { cause: error })
  }
}

function keep(shared: string | undefined, key: string, bundle: Bundle, entry: string): Entry {
  const { inputs, fingerprint } = describe(bundle, entry)
  const made = { code: bundle.code, map: bundle.map, inputs, fingerprint }
  if (shared !== undefined) {
    try {
      const stored = store(shared, key, made)
      prune(shared)
      return stored
    } catch {
      // Read-only or full: this run keeps its own copy.
    }
  }
  try {
    return store(privateFolder(), key, made)
  } catch (error) {
    throw new JobError(`nowhere to write the compiled job: ${(error as Error).message}`, { cause: error })
  }
}

function describe(bundle: Bundle, entry: string): { inputs: Inputs; fingerprint: string } {
  const directories = new Set([...bundle.sources.keys()].map((source) => path.dirname(source)))
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

  const deciding = new Map(bundle.sources)
  for (const file of tsconfigs) deciding.set(file, sha256(readFileSync(file)))
  const contents = Object.fromEntries(deciding)
  for (const file of packageFiles) contents[file] = sha256(readFileSync(file))
  return {
    inputs: { contents, present: [...bundle.packages], absent: [...absent] },
    fingerprint: fingerprintOf(deciding, path.dirname(entry)),
  }
}

function fingerprintOf(files: ReadonlyMap<string, string>, base: string): string {
  const lines = [...files].map(([file, hash]) => {
    const relative = path.relative(base, file).split(path.sep).join('/')
    return `${relative}\0${hash}`
  })
  return sha256(lines.sort().join('\n'))
}
