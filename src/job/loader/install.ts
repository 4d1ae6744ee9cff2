// Makes Node load TypeScript, and the files of a graph as they were when the run began. Once per process: patches
// `require`, and adds hooks for `import` where the graph needs them or where they cost nothing.
import nodeModule, { findSourceMap, isBuiltin, Module, register } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { patchChildren } from './children.js'
import { type GraphFile, type JobGraph, readGraph } from './graph.js'
import { type HookOptions, ModuleHooks } from './hooks.js'

type RegisterHooks = (hooks: { resolve: unknown; load: unknown }) => void

interface NodeModule {
  filename?: string
  paths: string[]
  exports: unknown
  _compile(code: string, file: string, format?: string): unknown
}
type Extension = (module: NodeModule, file: string) => void

const InternalModule = Module as unknown as {
  new (id: string): NodeModule
  _extensions: Record<string, Extension>
  _nodeModulePaths(folder: string): string[]
  _resolveFilename(
    request: string,
    parent: { filename?: string } | undefined,
    isMain: boolean,
    options?: { paths?: unknown },
  ): string
}

/** In newer Node: hooks in the thread of the job, which cost nothing. */
const { registerHooks } = nodeModule as { registerHooks?: RegisterHooks }

export interface InstallOptions {
  readonly cacheFolder?: string
  /** Others may have hooks that change the source. */
  readonly hasOtherHooks?: boolean
}

/** The module of a job: what `import` gives, or `module.exports`. */
export type Loaded = { readonly namespace: Record<string, unknown> } | { readonly commonJs: unknown }

let installed: ProcessLoader | undefined

export function install(options: InstallOptions = {}): ProcessLoader {
  installed ??= new ProcessLoader(options)
  return installed
}

/** Loads the job of the graph that was written to this file. */
export async function loadGraph(file: string, options: InstallOptions): Promise<Loaded> {
  return install(options).load(readGraph(file))
}

export class ProcessLoader {
  readonly #hooks: ModuleHooks
  readonly #options: HookOptions
  #thread: { add(graph: JobGraph): void } | undefined
  #hasHooks = false

  constructor(options: InstallOptions) {
    this.#options = { ...options, compiler: path.join(import.meta.dirname, 'compiler.cjs') }
    this.#hooks = new ModuleHooks(this.#options)
    this.#patchRequire()
    Object.assign(globalThis, {
      [Symbol.for('poolrun.loader')]: {
        resolve: (specifier: string, file: string) => this.#resolve(specifier, file),
      },
    })
  }

  async load(graph: JobGraph): Promise<Loaded> {
    this.#hooks.add(graph)
    if (mayStartChildren(graph)) patchChildren()
    const url = pathToFileURL(graph.entry).href
    // In the thread of the job they cost nothing, and packages may import TypeScript of the job's project.
    if (registerHooks !== undefined || graph.steps === undefined || this.#hasHooks) this.addHooks(graph)
    const entry = graph.files[graph.entry]!
    if (entry.format === 'commonjs') return { commonJs: this.#require(graph.entry) }
    return { namespace: graph.steps === undefined ? await import(url) : await this.#runSteps(graph) }
  }

  isCompiled(file: string): boolean {
    return this.#hooks.isCompiled(file)
  }

  addHooks(graph?: JobGraph): void {
    if (this.#hasHooks) {
      if (graph !== undefined) this.#thread?.add(graph)
      return
    }
    this.#hasHooks = true
    if (registerHooks !== undefined) {
      registerHooks({
        resolve: (specifier: string, context: never, next: never) =>
          this.#hooks.resolve(specifier, context, next),
        load: (url: string, context: never, next: never) => this.#hooks.load(url, context, next),
      })
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.unref()
    register(pathToFileURL(path.join(import.meta.dirname, 'loader-thread.cjs')).href, {
      data: { port: port2, graph, options: this.#options },
      transferList: [port2],
    })
    this.#thread = { add: (more) => port1.postMessage(more) }
  }

  /** Loads what a graph without names chosen at run time consists of, one module after another. The last one is the job. */
  async #runSteps({ steps, files }: JobGraph): Promise<Record<string, unknown>> {
    let namespace: unknown
    for (const step of steps!) {
      if ('url' in step) {
        await (step.json ? import(step.url, { with: { type: 'json' } }) : import(step.url))
        continue
      }
      const file = files[step.file]!
      if (file.format === 'module') namespace = this.#compileStep(step.file, file)
      else if (file.isCompiled) compileModule(step.file, this.#hooks.facade(step.file, file))
    }
    return namespace as Record<string, unknown>
  }

  /** @throws what the module throws; a SyntaxError for an import that is not exported, as `import` would throw it */
  #compileStep(file: string, { code, imports }: GraphFile): unknown {
    try {
      return compileModule(file, code)
    } catch (error) {
      if (error instanceof SyntaxError) describeWrongExport(error, file, code, imports)
      throw error
    }
  }

  #require(file: string): unknown {
    return Module.createRequire(file)(file)
  }

  /** `import.meta.resolve` in a CommonJS module: that of an ES module beside it. */
  #resolve(specifier: string, importer: string): string {
    const beside = path.join(path.dirname(importer), '__poolrun_resolve__.mjs')
    const { default: resolve } = compileModule(beside, 'export default import.meta.resolve') as {
      default: (specifier: string) => string
    }
    return resolve(specifier)
  }

  /**
   * Without `registerHooks`, Node shows no hooks what a required ES module imports. So that is put in its place before.
   */
  #compileRequired(file: string, { code, loadsFirst }: GraphFile, seen = new Set<string>()): unknown {
    seen.add(file)
    if (registerHooks === undefined)
      for (const name of loadsFirst) {
        const first = this.#hooks.fileOf(name)
        if (first === undefined || seen.has(name)) continue
        if (first.format === 'module') this.#compileRequired(name, first, seen)
        else if (first.format === 'commonjs' && first.isCompiled)
          compileModule(name, this.#hooks.facade(name, first))
      }
    return compileModule(file, code)
  }

  #patchRequire(): void {
    const hooks = this.#hooks
    const original = InternalModule._resolveFilename
    InternalModule._resolveFilename = function (request, parent, isMain, options) {
      const importer = parent?.filename
      if (typeof importer === 'string' && options?.paths === undefined && !isBuiltin(request)) {
        const found = hooks.findRequired(request, importer)
        if (found !== undefined) return found
      }
      try {
        return original.call(this, request, parent, isMain, options)
      } catch (error) {
        if (request === 'poolrun') return path.join(import.meta.dirname, 'index.cjs')
        throw error
      }
    }
    const compile: Extension = (module, file) => {
      const found = hooks.fileOf(file)!
      if (found.format === 'commonjs') module._compile(found.code, file, 'commonjs')
      else module.exports = this.#compileRequired(file, found)
    }
    const extensions = InternalModule._extensions
    for (const ending of ['.ts', '.tsx', '.mts', '.cts', '.jsx']) extensions[ending] = compile
    const byNode = extensions['.js']!
    extensions['.js'] = (module, file) => {
      if (hooks.known(file) === undefined) byNode(module, file)
      else compile(module, file)
    }
    const json = extensions['.json']!
    extensions['.json'] = (module, file) => {
      const known = hooks.known(file)
      if (known === undefined) json(module, file)
      else module.exports = JSON.parse(known.code)
    }
  }
}

/** What has no packages and does not name the modules for it starts none. */
function mayStartChildren({ steps, files }: JobGraph): boolean {
  return (
    steps === undefined ||
    Object.values(files).some(
      ({ code, imports, requires }) =>
        [...Object.values(imports), ...Object.values(requires)].includes('') ||
        /\b(?:child_process|worker_threads|cluster)\b/.test(code),
    )
  )
}

/** Gives an ES module its place under its own URL, with this code, and evaluates it. */
function compileModule(file: string, code: string): unknown {
  const module = new InternalModule(file)
  module.filename = file
  module.paths = InternalModule._nodeModulePaths(path.dirname(file))
  module._compile(code, file, 'module')
  return module.exports
}

const WRONG_EXPORT =
  /^The requested module '(.*)' (?:does not provide an export named|contains conflicting star exports for name) '(.*?)'/

/** Names the module as the user's code does, and gives the location: of what is put in its place, Node gives none. */
function describeWrongExport(
  error: SyntaxError,
  file: string,
  code: string,
  imports: GraphFile['imports'],
): void {
  const [, named, name] = WRONG_EXPORT.exec(error.message) ?? []
  if (named === undefined || name === undefined) return
  const written = named.startsWith('data:')
    ? decodeURI(named.replace(/^[^#]*#/, ''))
    : (Object.keys(imports).find((specifier) => imports[specifier] === named) ?? named)
  const specifierAt = code.indexOf(JSON.stringify(named).slice(1, -1))
  const before = code.slice(0, Math.max(0, code.lastIndexOf(name, specifierAt)))
  const line = before.split('\n').length
  const column = before.length - before.lastIndexOf('\n')
  error.message = error.message.replace(named, written)
  const place = mapFrame(pathToFileURL(file).href, line, column) ?? `${file}:${line}:${column}`
  error.stack = `${error.name}: ${error.message}\n    at ${place}`
}

/** The place in the source of a place in compiled code, as `file:line:column`. */
export function mapFrame(file: string, line: number, column: number): string | undefined {
  try {
    const name = file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/s, '')) : file
    if (installed?.isCompiled(name) !== true) return undefined
    const entry = findSourceMap(file)?.findEntry(line - 1, column - 1)
    if (entry === undefined || !('originalSource' in entry) || entry.generatedLine !== line - 1)
      return undefined
    return `${fileURLToPath(entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  } catch {
    return undefined
  }
}
