// Imports a job module and gives its exports one shape, whether it is an ES module or CommonJS.
// Imports only `node:` modules, and what a worker has loaded anyway, so that it starts fast.
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { mapFramesWith } from '../errors/capture/read-stack.js'
import type { JobExports, JobSource } from '../ipc/protocol.js'

export interface LoadedJob {
  readonly exports: JobExports
  /** The export's current value. Call a function without a receiver, so that stacks show `at task`. */
  get(name: string): unknown
}

/** The export that holds `module.exports` of a CommonJS module: in newer Node (nodejs/node#53848) and in compiled jobs. */
export const COMMONJS_EXPORTS = 'module.exports'

/** Rejects with the value that the module threw. */
export async function loadJob(source: JobSource): Promise<LoadedJob> {
  const { namespace, commonJs } = await loadModule(source).catch((error: unknown) => {
    addLocation(error, source.url)
    throw error
  })
  const get = commonJs === undefined ? (name: string) => namespace[name] : readerOf(commonJs.value)
  const names = commonJs === undefined ? Object.keys(namespace) : namesOf(commonJs.value)
  return { exports: describe(names, get), get }
}

interface LoadedModule {
  readonly namespace: Record<string, unknown>
  readonly commonJs: { value: unknown } | undefined
}

async function loadModule({ url, graph, isBuiltIn }: JobSource): Promise<LoadedModule> {
  // `import()` would start Node's ES module loader and search the text for exports, which takes as long as 50 commands.
  if (isBuiltIn)
    return { namespace: {}, commonJs: { value: createRequire(import.meta.filename)(fileURLToPath(url)) } }
  if (graph !== undefined) {
    const { loadGraph, mapFrame } = requireBundle<Loader>('loader.cjs')
    mapFramesWith(mapFrame)
    const loaded = await loadGraph(graph.file, graph)
    if ('commonJs' in loaded) return { namespace: {}, commonJs: { value: loaded.commonJs } }
    return { ...loaded, commonJs: undefined }
  }
  const namespace = await requireBundle<typeof import('./import.js')>('import.cjs').importModule(url)
  return { namespace, commonJs: commonJsExports(namespace, url) }
}

type Loader = typeof import('./loader/install.js')
type Compiler = typeof import('./compiler/run-time.js')

/** Bundles of their own, which not every job needs. */
function requireBundle<T>(name: string): T {
  const bundled = !import.meta.filename.endsWith('.ts')
  const file = path.join(import.meta.dirname, bundled ? name : `../../dist/${name}`)
  return createRequire(import.meta.filename)(file) as T
}

/** Of the import that Node refuses, or of the text that it cannot parse: its own errors have no frame for that. */
function addLocation(error: unknown, url: string): void {
  if (!(error instanceof Error)) return
  try {
    const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
    // Source maps lead from `dist` to `src`.
    const own = path.join(import.meta.dirname, '..')
    const isOwn = (line: string) =>
      ['node:', path.join(own, 'src/'), path.join(own, 'dist/')].some((part) => line.includes(part))
    if (!frames.every(isOwn)) return
    const { locateLoadError } = requireBundle<Compiler>('compiler.cjs')
    const location = locateLoadError(error, fileURLToPath(url))
    if (location !== undefined) error.stack = `${error.name}: ${error.message}\n    at ${location}`
  } catch {
    // The error is reported without.
  }
}

/** Boxed, because `module.exports` may be anything. */
function commonJsExports(namespace: Record<string, unknown>, url: string): { value: unknown } | undefined {
  if (Object.hasOwn(namespace, COMMONJS_EXPORTS)) return { value: namespace[COMMONJS_EXPORTS] }
  // Older versions of Node: only CommonJS modules are in this cache, and `import` puts them there, too.
  // Its keys are the files behind symbolic links, unless Node preserves these.
  const { cache } = createRequire(url)
  const file = fileURLToPath(url)
  const module = cache[file] ?? cache[realpathSync(file)]
  return module !== undefined && namespace.default === module.exports ? { value: module.exports } : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** `module.exports` is the default export, except in a transpiled ES module (`__esModule`), which has its own. */
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
  // `fromEntries` and not assignments, because an export may be called __proto__.
  return Object.fromEntries(
    names.map((name) => [name, typeof get(name) === 'function' ? 'function' : 'other']),
  )
}
