// What the imports of a file lead to: a file to follow, something that Node loads as it is, or nothing.
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { isCompiledFile, isInPackage } from '../file-kinds.js'
import { ownPackageFile } from '../own-package.js'
import type { Request } from './compile-source.js'
import type { Target } from './nodes.js'
import type { Packages } from './packages.js'
import type { Probe } from './probe.js'
import type { Resolver } from './resolver.js'

const MISSING: Target = { kind: 'missing' }

const FOLLOWED = new Set(['.js', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts', '.json'])

export class Targets {
  /** Files outside of the graph that were found, without symbolic links. */
  readonly externals = new Set<string>()
  readonly #probe: Probe
  readonly #resolver: Resolver
  readonly #packages: Packages

  constructor(probe: Probe, resolver: Resolver, packages: Packages) {
    this.#probe = probe
    this.#resolver = resolver
    this.#packages = packages
  }

  of({ specifier, kind }: Request, importer: string): Target {
    if (specifier === undefined) return MISSING
    if (isBuiltin(specifier)) return { kind: 'builtin' }
    try {
      const found = this.#resolver.find(specifier, importer, kind)
      if (found !== undefined) return this.#targetOf(found.file, found.query)
      return this.#packageFile(specifier, importer, kind)
    } catch {
      return MISSING
    }
  }

  #targetOf(file: string, query: string, byPackage = false): Target {
    const extension = path.extname(file)
    const isFollowed =
      FOLLOWED.has(extension) && (!isInPackage(file) || isCompiledFile(file) || extension === '.json')
    return isFollowed
      ? { kind: 'file', file, query, byPackage }
      : { kind: 'external', url: pathToFileURL(file).href + query }
  }

  #packageFile(specifier: string, importer: string, kind: Request['kind']): Target {
    if (/^(?:\.|\/|[a-z][a-z0-9+.-]+:)/i.test(specifier)) {
      if (/^(?!file:)[a-z]/i.test(specifier)) return { kind: 'external', url: specifier }
      return MISSING
    }
    const found = this.#packages.find(specifier, importer, kind)
    if (found === undefined) {
      if (specifier !== 'poolrun') return MISSING
      return { kind: 'external', url: pathToFileURL(ownEntry(kind)).href }
    }
    if (!path.isAbsolute(found)) return { kind: 'builtin' }
    const file = this.#probe.real(found)
    const target = this.#targetOf(file, '', true)
    if (target.kind !== 'external') return target
    this.externals.add(file)
    return { ...target, isNamedByUrl: kind === 'import' && this.#packages.lacksEnding(specifier, importer) }
  }
}

/** The library of the running poolrun, for a job that has no poolrun installed beside it. */
function ownEntry(kind: Request['kind']): string {
  return path.join(path.dirname(ownPackageFile()), 'dist', kind === 'import' ? 'index.js' : 'index.cjs')
}
