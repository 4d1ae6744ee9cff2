// The tsconfig.json that applies to a file: the nearest one, with everything that it extends.
import path from 'node:path'
import { type Cache, createPathsMatcher, findTsconfig, getTsconfig, type TsConfigResult } from 'get-tsconfig'
import { isInPackage } from '../file-kinds.js'

export interface Tsconfig {
  readonly file: string
  readonly options: Readonly<Record<string, unknown>>
  /** The paths that an alias may mean, in the order of preference. */
  readonly matchPaths: (specifier: string) => readonly string[]
  /** What it extends and is not there. If so, nothing of it counts. */
  readonly missingBase?: string
}

const MISSING_BASE = /^File '(.*)' not found\.$/

export class Tsconfigs {
  readonly #byFolder = new Map<string, Tsconfig | undefined>()
  readonly #parsed: Cache = new Map()

  /** @throws if it, or what it extends, is there and cannot be read */
  for(file: string): Tsconfig | undefined {
    // What an installed package was compiled with is its own affair.
    if (isInPackage(file)) return undefined
    const folder = path.dirname(file)
    if (!this.#byFolder.has(folder)) this.#byFolder.set(folder, this.#read(folder))
    return this.#byFolder.get(folder)
  }

  #read(folder: string): Tsconfig | undefined {
    let found: TsConfigResult | null
    try {
      found = getTsconfig(folder, 'tsconfig.json', this.#parsed)
    } catch (error) {
      // A base in a development dependency, in production.
      const missingBase = MISSING_BASE.exec((error as Error).message)?.[1]
      if (missingBase === undefined) throw error
      return { file: findTsconfig(folder)!, options: {}, matchPaths: () => [], missingBase }
    }
    if (found === null) return undefined
    const match = createPathsMatcher(found)
    return {
      file: found.path,
      options: (found.config.compilerOptions ?? {}) as Record<string, unknown>,
      matchPaths: (specifier) => match?.(specifier) ?? [],
    }
  }
}
