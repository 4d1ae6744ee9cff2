// Where an import is that Node refuses, and where a file that it cannot parse is wrong: it says neither. Looks for it only
// once the job has failed to load.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isCompiledFile, isInPackage } from '../file-kinds.js'
import { type CompiledSource, compileSource, SourceError } from './compile-source.js'
import { transformSync } from './esbuild-sync.js'
import { placeIn } from './locate.js'
import { PackageTypes } from './package-type.js'
import { Packages, packageName } from './packages.js'
import { Probe } from './probe.js'
import { Resolver } from './resolver.js'
import { Tsconfigs } from './tsconfig.js'

/** A job has hundreds of files at most. */
const MAX_FILES = 500
const NOT_FOUND = /^Cannot find (?:package|module) '(.+)' imported from (.+)$/
const REFUSED_FILE = /^(?:Unknown file extension "[^"]*" for (.+)|Module "(.+)" needs an import attribute)/

/** As `file:line:column`. */
export function locateLoadError(error: unknown, entry: string): string | undefined {
  if (!(error instanceof Error)) return undefined
  const [firstLine = ''] = error.message.split('\n')
  const missing = NOT_FOUND.exec(firstLine)
  if (missing !== null) {
    const importer = toPath(missing[2]!)
    return new Search(importer).importOf((specifier, target) =>
      [specifier, packageName(specifier), target].includes(missing[1]!),
    )
  }
  const refused = REFUSED_FILE.exec(firstLine)
  if (refused !== null) {
    const file = toPath(refused[1] ?? refused[2]!)
    return new Search(entry).importOf((_specifier, target) => target === file)
  }
  return error instanceof SyntaxError ? new Search(entry).syntaxError() : undefined
}

function toPath(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}

class Search {
  readonly #probe = new Probe()
  readonly #tsconfigs = new Tsconfigs()
  readonly #resolver = new Resolver(this.#probe, this.#tsconfigs)
  readonly #packages = new Packages(this.#probe, this.#resolver)
  readonly #types = new PackageTypes(this.#probe)
  readonly #entry: string

  constructor(entry: string) {
    this.#entry = entry
  }

  importOf(matches: (specifier: string, target: string | undefined) => boolean): string | undefined {
    for (const { file, compiled } of this.#files()) {
      if (compiled instanceof SourceError) continue
      for (const request of compiled.requests) {
        const { specifier, start } = request
        if (specifier === undefined || start < 0 || !matches(specifier, this.#target(specifier, file)))
          continue
        const { line, column } = placeIn(compiled.located, start - 1)
        return `${file}:${line}:${column}`
      }
    }
    return undefined
  }

  syntaxError(): string | undefined {
    for (const { file, compiled } of this.#files()) {
      const location = compiled instanceof SourceError ? compiled.messages[0]?.location : undefined
      if (!location) continue
      const before = Buffer.from(location.lineText).subarray(0, location.column).toString()
      return `${file}:${location.line}:${before.length + 1}`
    }
    return undefined
  }

  /** The entry, and what it imports from the user's project. */
  *#files(): Generator<{ file: string; compiled: CompiledSource | SourceError }> {
    const seen = new Set<string>()
    const files = [this.#entry]
    for (let file = files.shift(); file !== undefined && seen.size < MAX_FILES; file = files.shift()) {
      if (seen.has(file)) continue
      seen.add(file)
      const compiled = this.#read(file)
      if (compiled === undefined) continue
      yield { file, compiled }
      if (compiled instanceof SourceError) continue
      for (const { specifier } of compiled.requests) {
        const target = specifier && this.#target(specifier, file)
        if (target && !isInPackage(target) && /\.[cm]?[jt]sx?$/.test(target)) files.push(target)
      }
    }
  }

  #read(file: string): CompiledSource | SourceError | undefined {
    try {
      const text = readFileSync(file, 'utf8')
      if (!isCompiledFile(file)) {
        const errors = transformSync(text, {
          loader: 'js',
          logLevel: 'silent',
          sourcefile: path.basename(file),
        })
        if (Array.isArray(errors)) return new SourceError(errors)
      }
      const compilerOptions = this.#tsconfigs.for(file)?.options ?? {}
      const compilation = compileSource({
        file,
        text,
        packageType: this.#types.for(file).type,
        compilerOptions,
      })
      let step = compilation.next()
      while (!step.done) step = compilation.next(transformSync(...step.value))
      return step.value
    } catch (error) {
      return error instanceof SourceError ? error : undefined
    }
  }

  #target(specifier: string, importer: string): string | undefined {
    const found = this.#resolver.find(specifier, importer, 'import')?.file
    if (found !== undefined) return found
    if (/^(?:\.|\/|file:)/.test(specifier)) {
      return fileURLToPath(new URL(specifier, pathToFileURL(importer)))
    }
    return this.#packages.find(specifier, importer, 'import')
  }
}
