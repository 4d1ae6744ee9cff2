// Resolves and compiles what a job names only at run time, in the process that runs it: in the thread of the job or in
// that of the hooks.
import { readFileSync } from 'node:fs'
import nodeModule, { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { replace, sha256 } from '../cache.js'
import { isCompiledFile } from '../file-kinds.js'
import type { GraphFile } from '../loader/graph.js'
import { allNames } from './commonjs-names.js'
import { type Compilation, type CompiledSource, compileSource, SourceError } from './compile-source.js'
import { wantsMetadata } from './decorator-metadata.js'
import { transformSync } from './esbuild-sync.js'
import { withMap } from './inline-map.js'
import { PackageTypes } from './package-type.js'
import { Packages } from './packages.js'
import { Probe } from './probe.js'
import { type Found, type ImportKind, Resolver } from './resolver.js'
import { Tsconfigs } from './tsconfig.js'

export { locateLoadError } from './locate-error.js'

export class RunTimeCompiler {
  readonly #cacheFolder: string | undefined

  constructor(cacheFolder: string | undefined) {
    this.#cacheFolder = cacheFolder
  }

  /** Nothing is remembered: files may appear while a job runs. */
  find(specifier: string, importer: string, kind: ImportKind): Found | undefined {
    return new Resolver(new Probe(), new Tsconfigs()).find(specifier, importer, kind)
  }

  /** The source of a file that was looked for and is not there. */
  sourceOf(url: string): string | undefined {
    try {
      return new Resolver(new Probe(), new Tsconfigs()).pick(fileURLToPath(url), true)
    } catch {
      return undefined
    }
  }

  /** @throws SyntaxError with the location */
  compile(file: string, text: string = readFileSync(file, 'utf8')): GraphFile {
    const compiled = this.#compile(file, text)
    const names = allNames(file, compiled, (specifier, importer) => this.#read(specifier, importer))
    return { ...withMap(compiled), imports: {}, requires: {}, names, ...this.#withPaths(file, compiled) }
  }

  /** Node without `registerHooks` shows no hooks what a required ES module imports: its code must say it. */
  #withPaths(file: string, compiled: CompiledSource): Partial<GraphFile> & Pick<GraphFile, 'loadsFirst'> {
    if (compiled.format !== 'module' || 'registerHooks' in nodeModule) return { loadsFirst: [] }
    const loadsFirst: string[] = []
    let { code } = compiled
    for (const { specifier, isStatic, start, end } of [...compiled.requests].reverse()) {
      const found = isStatic && specifier !== undefined && this.find(specifier, file, 'import')
      if (!found || found.file.endsWith('.json')) continue
      loadsFirst.unshift(found.file)
      code = code.slice(0, start) + pathToFileURL(found.file).href + found.query + code.slice(end)
    }
    return { code: withMap({ ...compiled, code }).code, loadsFirst }
  }

  #compile(file: string, text: string): CompiledSource {
    const packageType = new PackageTypes(new Probe()).for(file).type
    const compilerOptions = new Tsconfigs().for(file)?.options ?? {}
    const plain = { file, text, packageType, compilerOptions }
    const source = { ...plain, ...(wantsMetadata(plain) && { typescript: typescriptOf(file) }) }
    if (!isCompiledFile(file)) return runWith(compileSource(source), file)
    const key = JSON.stringify([import.meta.filename, process.version, source])
    const cached = this.#cached(key)
    if (cached !== undefined) return cached
    const compiled = runWith(compileSource(source), file)
    this.#store(key, compiled)
    return compiled
  }

  #read(specifier: string, importer: string): ({ file: string } & CompiledSource) | undefined {
    try {
      const file =
        this.find(specifier, importer, 'require')?.file ?? createRequire(importer).resolve(specifier)
      if (!path.isAbsolute(file)) return undefined
      const compiled = this.#compile(file, readFileSync(file, 'utf8'))
      return compiled.format === 'commonjs' ? { file, ...compiled } : undefined
    } catch {
      return undefined
    }
  }

  #fileOf(key: string): string | undefined {
    if (this.#cacheFolder === undefined) return undefined
    return path.join(this.#cacheFolder, `${sha256(key)}.file.json`)
  }

  #cached(key: string): CompiledSource | undefined {
    try {
      const file = this.#fileOf(key)
      return file && JSON.parse(readFileSync(file, 'utf8'))
    } catch {
      return undefined
    }
  }

  #store(key: string, compiled: CompiledSource): void {
    const file = this.#fileOf(key)
    if (file === undefined) return
    try {
      replace(file, JSON.stringify(compiled))
    } catch {
      // Without a cache it is compiled each time.
    }
  }
}

function typescriptOf(file: string): string | undefined {
  const probe = new Probe()
  return new Packages(probe, new Resolver(probe, new Tsconfigs())).find('typescript', file, 'require')
}

function runWith(compilation: Compilation, file: string): CompiledSource {
  try {
    let step = compilation.next()
    while (!step.done) step = compilation.next(transformSync(...step.value))
    return step.value
  } catch (error) {
    throw error instanceof SourceError ? syntaxError(error, file) : error
  }
}

function syntaxError({ messages }: SourceError, file: string): SyntaxError {
  const [first] = messages
  const error = new SyntaxError(first?.text ?? 'it does not compile')
  if (first?.location) {
    const { line, column, lineText } = first.location
    const shown = Buffer.from(lineText).subarray(0, column).toString().length + 1
    error.stack = `SyntaxError: ${error.message}\n    at ${file}:${line}:${shown}`
  }
  return error
}
