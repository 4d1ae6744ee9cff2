// Finds the file of a package, as the workers' Node will. Node itself would answer from what it has seen before, in a
// process that may compile for days.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { exports as exportsOf, imports as importsOf } from 'resolve.exports'
import { foldersAbove, type Probe } from './probe.js'
import type { ImportKind, Resolver } from './resolver.js'

interface Package {
  readonly folder: string
  readonly json: {
    readonly name?: unknown
    readonly main?: unknown
    readonly exports?: unknown
    readonly imports?: unknown
  }
}

const BOTH = [
  'node',
  'node-addons',
  ...((process.features as { require_module?: boolean }).require_module === true ? ['module-sync'] : []),
]

export class Packages {
  readonly #probe: Probe
  readonly #resolver: Resolver
  /** By folder. */
  readonly #read = new Map<string, Package['json']>()

  constructor(probe: Probe, resolver: Resolver) {
    this.#probe = probe
    this.#resolver = resolver
  }

  /** A path, or the name of a module of Node. `undefined` if there is none. */
  find(specifier: string, importer: string, kind: ImportKind): string | undefined {
    const options = { conditions: [...BOTH, kind], unsafe: true }
    const own = this.#ownPackage(importer)
    if (specifier.startsWith('#')) {
      const [target] = attempt(() => own && importsOf(own.json, specifier, options)) ?? []
      if (target === undefined || target.startsWith('#')) return undefined
      if (isBuiltin(target)) return target
      if (!target.startsWith('.')) return this.find(target, path.join(own!.folder, 'package.json'), kind)
      return this.#file(path.join(own!.folder, target), kind)
    }
    const name = packageName(specifier)
    const subpath = specifier.slice(name.length + 1)
    const found =
      own?.json.name === name && own.json.exports !== undefined ? own : this.#installed(name, importer)
    if (found === undefined) return undefined
    if (found.json.exports !== undefined && found.json.exports !== null) {
      const entry = subpath === '' ? '.' : `./${subpath}`
      const [target] = attempt(() => exportsOf(found.json, entry, options)) ?? []
      return target === undefined ? undefined : this.#file(path.join(found.folder, target), kind)
    }
    if (subpath !== '') return this.#file(path.join(found.folder, subpath), kind)
    const main =
      typeof found.json.main === 'string'
        ? this.#file(path.join(found.folder, found.json.main), kind)
        : undefined
    return main ?? this.#file(path.join(found.folder, 'index.js'), kind)
  }

  /** Whether Node does not find what `find` has found for an `import`: the specifier lacks the ending of the file. */
  lacksEnding(specifier: string, importer: string): boolean {
    const name = packageName(specifier)
    if (specifier.startsWith('#') || specifier === name) return false
    const found = this.#installed(name, importer)
    if (found === undefined || (found.json.exports ?? undefined) !== undefined) return false
    return !this.#probe.isFile(path.join(found.folder, specifier.slice(name.length + 1)))
  }

  /** In the first `node_modules` that has a folder of that name. One that is installed nearer later is noticed. */
  #installed(name: string, importer: string): Package | undefined {
    for (const folder of foldersAbove(importer)) {
      if (path.basename(folder) === 'node_modules') continue
      const candidate = path.join(folder, 'node_modules', name)
      if (this.#probe.isFolder(candidate))
        return { folder: this.#probe.real(candidate), json: this.#readPackage(candidate) }
    }
    return undefined
  }

  #ownPackage(importer: string): Package | undefined {
    const file = this.#probe.nearest('package.json', importer)
    return file === undefined
      ? undefined
      : { folder: path.dirname(file), json: this.#readPackage(path.dirname(file)) }
  }

  /** Once per folder: nearly every import of a package looks at the one of its own project. */
  #readPackage(folder: string): Package['json'] {
    const json = this.#read.get(folder) ?? readPackage(folder)
    this.#read.set(folder, json)
    return json
  }

  /** Where only its source is there, that. */
  #file(file: string, kind: ImportKind): string | undefined {
    if (this.#probe.isFile(file)) return file
    const endings = kind === 'require' ? ['.js', '.json', '.node'] : []
    const found = endings.map((ending) => file + ending).find((some) => this.#probe.isFile(some))
    if (found !== undefined) return found
    if (kind === 'require' && this.#probe.isFolder(file)) {
      const { main } = this.#readPackage(file)
      const inside = typeof main === 'string' ? this.#file(path.join(file, main), kind) : undefined
      return inside ?? this.#file(path.join(file, 'index.js'), kind)
    }
    return this.#resolver.pick(file, false)
  }
}

export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function readPackage(folder: string): Package['json'] {
  try {
    return (
      (JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Package['json'] | null) ?? {}
    )
  } catch {
    return {}
  }
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
