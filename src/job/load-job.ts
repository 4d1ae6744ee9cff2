// Imports a job module inside a worker and gives its exports one shape, ES module or CommonJS.
// Imports nothing but node: and types, so that a worker starts fast; knows nothing of tasks, items or messages.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { JobExports, JobSource } from '../ipc/protocol.js'

export interface LoadedJob {
  readonly exports: JobExports
  /** The export itself, as it is now; called on its own, not as a method, so that a stack says `at task`. */
  get(name: string): unknown
}

/** The name under which newer versions of Node, and compiled jobs, give a CommonJS module's whole `module.exports`. */
const COMMONJS = 'module.exports'

/** Rejects with the very value that the module threw. */
export async function loadJob(source: JobSource): Promise<LoadedJob> {
  const namespace: Record<string, unknown> = await import(source.url)
  const commonJs = commonJsExports(namespace, source.url)
  const get = commonJs === undefined ? (name: string) => namespace[name] : readerOf(commonJs.value)
  const names = commonJs === undefined ? Object.keys(namespace) : namesOf(commonJs.value)
  return { exports: describe(names, get), get }
}

/** Boxed, because `module.exports` may be anything. */
function commonJsExports(namespace: Record<string, unknown>, url: string): { value: unknown } | undefined {
  if (Object.hasOwn(namespace, COMMONJS)) return { value: namespace[COMMONJS] }
  // Before that name existed: only a CommonJS module has an entry here, and Node fills it on import, too.
  const module = createRequire(url).cache[fileURLToPath(url)]
  return module !== undefined && namespace.default === module.exports ? { value: module.exports } : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** `module.exports = fn` is the default export; a transpiled module says itself what its default is. */
function readerOf(value: unknown): (name: string) => unknown {
  const transpiled = isObject(value) && value.__esModule === true
  return (name) => {
    if (name === 'default' && !transpiled) return value
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
}

function namesOf(value: unknown): string[] {
  if (!isObject(value)) return ['default']
  const own = Object.keys(value).filter((name) => name !== '__esModule')
  return value.__esModule === true || own.includes('default') ? own : ['default', ...own]
}

function describe(names: readonly string[], get: (name: string) => unknown): JobExports {
  // Entries, not assignments: an export may be called __proto__.
  return Object.fromEntries(
    names.map((name) => [name, typeof get(name) === 'function' ? 'function' : 'other']),
  )
}
