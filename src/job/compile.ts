// Turns the file of a job into what workers load: JavaScript as it is, TypeScript compiled file by file and cached. The
// parent never imports a job.
import { closeSync, openSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { PoolBrokenError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { type Cached, find, sha256, store } from './cache.js'
import { type Env, privateFolder, sharedFolder } from './cache-folder.js'
import type { WalkEntry, Walked } from './compiler/walk.js'
import { isTypeScript } from './file-kinds.js'
import { pin } from './pinned.js'
import { prune } from './prune.js'
import { unreadable } from './unreadable.js'
import { usesTypeScript } from './uses-typescript.js'

export interface CompileOptions {
  /** What paths in messages are relative to. */
  readonly cwd?: string
  readonly env?: Env
  /** Options of the Node that loads the job, besides those in `NODE_OPTIONS` of `env`. */
  readonly nodeOptions?: readonly string[] | undefined
}

/** Part of every cache key. Increase it when the same sources compile to something else. */
const OUTPUT_VERSION = 3

/** Options with which Node may resolve and load modules in its own way. */
const CHANGES_LOADING =
  /(?:^|\s)(?:-r|--require|--import|-C|--conditions|--(?:experimental-)?loader)(?=[=\s]|$)/
/** Those of them with which others may change the source before poolrun's hooks see it. */
const LOADS_HOOKS = /(?:^|\s)(?:-r|--require|--import|--(?:experimental-)?loader)(?=[=\s]|$)/

/** `file` comes from `resolveJob`: it is absolute and exists. Rejects with `JobError`, or `PoolBrokenError` where the machine lacks something. */
export async function compileJob(file: string, options: CompileOptions = {}): Promise<JobSource> {
  const { cwd = process.cwd() } = options
  if (!isTypeScript(file)) {
    checkReadable(file, cwd)
    if (!usesTypeScript(file)) return { url: pathToFileURL(file).href, isCompiled: false }
  }
  return compile({ file: realpathSync(file) }, options)
}

/** The value of the expression becomes the default export of a module `name` in `cwd`, where its imports resolve. */
export async function compileExpression(
  expression: string,
  name: string,
  options: CompileOptions = {},
): Promise<JobSource> {
  const { cwd = process.cwd() } = options
  return compile({ file: path.join(realpathSync(cwd), name), expression }, options)
}

async function compile(entry: WalkEntry, options: CompileOptions): Promise<JobSource> {
  const { cwd = process.cwd(), env = process.env } = options
  const nodeOptions = [env.NODE_OPTIONS ?? '', ...(options.nodeOptions ?? [])].join(' ')
  const nodeDecides = CHANGES_LOADING.test(nodeOptions)
  // With the path of this file, so that two installations of poolrun never use each other's output.
  const key = sha256(
    JSON.stringify([
      OUTPUT_VERSION,
      import.meta.filename,
      process.version,
      nodeDecides,
      entry.file,
      entry.expression,
    ]),
  )
  const shared = sharedFolder(env)
  const cached = shared === undefined ? undefined : find(shared, key)
  const job = cached ?? (await compileAnew(entry, { cwd, nodeDecides }, shared, key))
  pin(job.file)
  return {
    url: pathToFileURL(entry.file).href,
    isCompiled: true,
    graph: {
      file: job.file,
      cacheFolder: path.dirname(job.file),
      hasOtherHooks: LOADS_HOOKS.test(nodeOptions),
    },
    warnings: job.warnings,
  }
}

async function compileAnew(
  entry: WalkEntry,
  options: Parameters<typeof import('./compiler/walk.js')['walk']>[1],
  shared: string | undefined,
  key: string,
): Promise<Cached> {
  const { walk } = await import('./compiler/walk.js')
  const walked = await walk(entry, options)
  return { file: storeGraph(walked, shared, key), warnings: walked.warnings }
}

function checkReadable(file: string, cwd: string): void {
  try {
    closeSync(openSync(file, 'r'))
  } catch (error) {
    throw unreadable(file, cwd, error)
  }
}

/** Stores it in the shared folder if that is possible, and returns its file. */
function storeGraph({ graph, inputs, warnings }: Walked, shared: string | undefined, key: string): string {
  const output = { graph: JSON.stringify(graph), inputs, warnings }
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
