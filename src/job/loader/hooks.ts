// What `import` does differently from Node: finds TypeScript and compiles it. The same code runs as hooks in the thread
// of the job (`next` returns a value) and in a thread of their own (`next` returns a promise).
import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { RunTimeCompiler } from '../compiler/run-time.js'
import { isCompiledFile, isInPackage } from '../file-kinds.js'
import { interopFacade, jsonFacade, markInterop, unmarkInterop } from './facades.js'
import type { GraphFile, JobGraph } from './graph.js'

export interface HookOptions {
  readonly cacheFolder?: string
  readonly hasOtherHooks?: boolean
  /** The file of the compiler, which is loaded only for what is chosen at run time. */
  readonly compiler: string
}

interface ResolveContext {
  readonly conditions: readonly string[]
  readonly importAttributes?: Readonly<Record<string, string>>
  readonly parentURL?: string
}
export interface Resolved {
  readonly url: string
  readonly format?: string | null
  readonly importAttributes?: Readonly<Record<string, string>>
  readonly shortCircuit?: boolean
}
interface LoadContext {
  readonly format?: string | null
  readonly importAttributes?: Readonly<Record<string, string>>
  readonly conditions?: readonly string[]
}
export interface LoadedSource {
  readonly format: string
  readonly source?: unknown
  readonly shortCircuit?: boolean
}
type Result<T> = T | Promise<T>

export class ModuleHooks {
  readonly #options: HookOptions
  readonly #files = new Map<string, GraphFile>()
  /** Compiled at run time. */
  readonly #late = new Map<string, GraphFile>()
  #compiler: RunTimeCompiler | undefined

  constructor(options: HookOptions) {
    this.#options = options
  }

  add({ files }: JobGraph): void {
    for (const [name, file] of Object.entries(files)) this.#files.set(name, file)
  }

  /** As it was when the run began. */
  known(file: string): GraphFile | undefined {
    return this.#files.get(file)
  }

  isCompiled(file: string): boolean {
    return this.#files.get(file)?.isCompiled ?? isCompiledFile(file)
  }

  /** Compiled if it has to be, `undefined` if Node can read it. */
  fileOf(file: string): GraphFile | undefined {
    const known = this.#files.get(file) ?? this.#late.get(file)
    if (known !== undefined || !isCompiledFile(file)) return known
    const late = this.#compile().compile(file)
    this.#late.set(file, late)
    return late
  }

  /** What `require` of a specifier leads to, unless Node finds the same. */
  findRequired(request: string, importer: string): string | undefined {
    const known = this.#files.get(importer)?.requires[request]
    if (known !== undefined) return known === '' ? undefined : known
    if (this.#files.has(request)) return undefined
    return this.#mayDiffer(request, importer)
      ? this.#compile().find(request, importer, 'require')?.file
      : undefined
  }

  resolve(
    specifier: string,
    context: ResolveContext,
    next: (specifier: string, context: ResolveContext) => Result<Resolved>,
  ): Result<Resolved> {
    // `require`, where hooks see it.
    if (context.conditions.includes('require') || isBuiltin(specifier)) return next(specifier, context)
    const own = pathOf(specifier)
    // The expression of `--eval` is not a file.
    if (own !== undefined && this.#files.has(own) && path.extname(own) === '')
      return { url: specifier, format: 'module', shortCircuit: true }
    const importer = context.parentURL === undefined ? undefined : pathOf(context.parentURL)
    if (importer === undefined || unmarkInterop(context.parentURL!) !== undefined)
      return next(specifier, context)
    return afterwards(
      // As code of the graph is rewritten for Node without `registerHooks`.
      own !== undefined && this.#files.has(own)
        ? next(specifier, context)
        : this.#resolveFrom(importer, specifier, context, next),
      (resolved) => this.#asTypeScript(resolved, importer, context),
    )
  }

  #resolveFrom(
    importer: string,
    specifier: string,
    context: ResolveContext,
    next: (specifier: string, context: ResolveContext) => Result<Resolved>,
  ): Result<Resolved> {
    const known = this.#files.get(importer)?.imports[specifier]
    const found = known ?? this.#findImported(specifier, importer)
    if (found !== '') return next(found, context)
    return otherwise(
      () => next(specifier, context),
      (error) => {
        const missing = (error as { url?: unknown }).url
        const source = typeof missing === 'string' ? this.#compile().sourceOf(missing) : undefined
        if (source !== undefined) return next(pathToFileURL(source).href, context)
        if (specifier === 'poolrun') {
          const library = path.join(path.dirname(this.#options.compiler), 'index.js')
          return next(pathToFileURL(library).href, context)
        }
        throw error
      },
    )
  }

  /** Empty if Node finds the same. */
  #findImported(specifier: string, importer: string): string {
    if (!this.#mayDiffer(specifier, importer)) return ''
    const found = this.#compile().find(specifier, importer, 'import')
    return found === undefined ? '' : pathToFileURL(found.file).href + found.query
  }

  /** TypeScript imports JSON without an attribute, and `import()` in a CommonJS file as `require`. */
  #asTypeScript(resolved: Resolved, importer: string, { importAttributes }: ResolveContext): Resolved {
    const { url, format } = resolved
    const file = isCompiledFile(importer) ? pathOf(url) : undefined
    if (file === undefined || importAttributes?.type !== undefined) return resolved
    if (file.endsWith('.json')) return { url, format: 'module', shortCircuit: true }
    if (this.fileOf(importer)?.format !== 'commonjs') return resolved
    const isCommonJs = (this.fileOf(file)?.format ?? format ?? this.#detectFormat(file)) === 'commonjs'
    return isCommonJs ? { url: markInterop(url), format: 'module', shortCircuit: true } : resolved
  }

  /** Where the package.json has no `type`, Node looks into a file only when it loads it. */
  #detectFormat(file: string): string | undefined {
    return path.extname(file) === '.js' ? this.#compile().compile(file).format : undefined
  }

  load(
    url: string,
    context: LoadContext,
    next: (url: string, context: LoadContext) => Result<LoadedSource>,
  ): Result<LoadedSource> {
    const file = pathOf(url)
    if (file === undefined) return next(url, context)
    const inner = unmarkInterop(url)
    if (inner !== undefined) return asModule(interopFacade(inner))
    const known = this.#files.get(file)
    if (file.endsWith('.json') && context.format === 'module')
      return asModule(jsonFacade(url, known?.code ?? readFileSync(file, 'utf8')))
    if (known?.format === 'json' && context.importAttributes?.type === 'json')
      return { format: 'json', source: known.code, shortCircuit: true }
    if (context.importAttributes?.type !== undefined || known?.format === 'json') return next(url, context)
    // A `require` that Node shows its hooks is handled where `require` is patched.
    if (context.conditions?.includes('require')) return next(url, context)
    if (this.#options.hasOtherHooks && isCompiledFile(file)) {
      return afterwards(next(url, { ...context, format: 'module' }), ({ source }) =>
        this.#loaded(file, this.#compile().compile(file, textOf(source))),
      )
    }
    const found = this.fileOf(file)
    if (found === undefined || (found.format === 'commonjs' && !found.isCompiled)) return next(url, context)
    return this.#loaded(file, found)
  }

  #loaded(file: string, found: GraphFile): LoadedSource {
    return asModule(found.format === 'module' ? found.code : this.facade(file, found))
  }

  /** An ES module in the place of a compiled CommonJS one: Node's own would read the names from the source. */
  facade(file: string, { names }: Pick<GraphFile, 'names'>): string {
    const named = names.filter((name) => name !== 'default' && name !== 'module.exports')
    const lines = named.map(
      (name, i) => `const _${i}=get(${JSON.stringify(name)});export{_${i} as ${JSON.stringify(name)}};`,
    )
    const whole =
      Number(process.versions.node.split('.')[0]) >= 23 ? 'export{module as "module.exports"};' : ''
    return `import{createRequire}from"node:module";const module=createRequire(import.meta.url)(${JSON.stringify(file)});const get=name=>{try{return module==null?void 0:module[name]}catch{}};export default module;${whole}${lines.join('')}\n`
  }

  /** Whether TypeScript may find another file than Node. */
  #mayDiffer(specifier: string, importer: string): boolean {
    if (path.dirname(importer) === path.dirname(this.#options.compiler)) return false
    if (!isInPackage(importer))
      return !specifier.startsWith('#') && !/^(?!file:)[a-z][a-z0-9+.-]+:/i.test(specifier)
    return path.isAbsolute(specifier) || specifier.startsWith('file:')
  }

  #compile(): RunTimeCompiler {
    if (this.#compiler === undefined) {
      const { RunTimeCompiler: Compiler } = createRequire(import.meta.filename)(
        this.#options.compiler,
      ) as typeof import('../compiler/run-time.js')
      this.#compiler = new Compiler(this.#options.cacheFolder)
    }
    return this.#compiler
  }
}

/** Without the query. */
function pathOf(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined
  try {
    return fileURLToPath(url.replace(/[?#].*$/s, ''))
  } catch {
    return undefined
  }
}

function asModule(source: string): LoadedSource {
  return { format: 'module', source, shortCircuit: true }
}

function textOf(source: unknown): string {
  return typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
}

function otherwise<T>(first: () => Result<T>, second: (error: unknown) => Result<T>): Result<T> {
  try {
    const result = first()
    return result instanceof Promise ? result.catch(second) : result
  } catch (error) {
    return second(error)
  }
}

function afterwards<T, U>(result: Result<T>, then: (value: T) => U): Result<U> {
  return result instanceof Promise ? result.then(then) : then(result)
}
