// Finds the file that a specifier means where TypeScript and Node differ: extensions, folders, tsconfig paths. What
// both resolve alike, packages above all, is left to Node.
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isInPackage, isTypeScript } from '../file-kinds.js'
import type { Probe } from './probe.js'
import type { Tsconfigs } from './tsconfig.js'

/** TypeScript imports a source file by the extension of its compiled file. */
const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.jsx': ['.tsx', '.ts'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
}
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

export interface Found {
  readonly file: string
  /** Of the specifier: `?once`. */
  readonly query: string
}

export type ImportKind = 'import' | 'require'

export class Resolver {
  readonly #probe: Probe
  readonly #tsconfigs: Tsconfigs

  constructor(probe: Probe, tsconfigs: Tsconfigs) {
    this.#probe = probe
    this.#tsconfigs = tsconfigs
  }

  /** The file, without symbolic links; `undefined` where Node decides. */
  find(specifier: string, importer: string, kind: ImportKind): Found | undefined {
    if (isBuiltin(specifier)) return undefined
    const target = this.#target(specifier, importer, kind)
    if (target !== undefined) {
      const found = this.pick(target.file, isTypeScript(importer) && !isInPackage(importer))
      return found === undefined ? undefined : { file: this.#probe.real(found), query: target.query }
    }
    if (isInPackage(importer) || /^#|^[a-z][a-z0-9+.-]+:/i.test(specifier)) return undefined
    for (const candidate of this.#tsconfigs.for(importer)?.matchPaths(specifier) ?? []) {
      const found = this.pick(candidate, true)
      if (found !== undefined) return { file: this.#probe.real(found), query: '' }
    }
    return undefined
  }

  /** The file of an address that has no package in it. */
  #target(specifier: string, importer: string, kind: ImportKind): Found | undefined {
    const isRelative = /^\.\.?(\/|$)/.test(specifier)
    if (kind === 'require') {
      if (specifier.startsWith('file:')) return undefined
      if (!isRelative && !path.isAbsolute(specifier)) return undefined
      // A trailing slash means a folder, also beside a file of that name.
      return { file: path.resolve(path.dirname(importer), specifier), query: '' }
    }
    if (!isRelative && !specifier.startsWith('/') && !specifier.startsWith('file:')) return undefined
    try {
      const url = new URL(specifier, pathToFileURL(importer))
      const query = url.search + url.hash
      url.search = url.hash = ''
      return { file: fileURLToPath(url), query }
    } catch {
      return undefined
    }
  }

  /**
   * What `base` means: itself, its source, it with an ending, or what is in the folder. `sourceFirst`: the source even
   * beside a compiled file.
   */
  pick(base: string, sourceFirst: boolean, isInFolder = false): string | undefined {
    const extension = path.extname(base)
    const stem = base.slice(0, base.length - extension.length)
    const sources = (SOURCES_OF[extension] ?? []).map((ending) => stem + ending)
    const named = sourceFirst ? [...sources, base] : [base, ...sources]
    const isFile = (file: string) => this.#probe.isFile(file)
    const file = named.find(isFile) ?? ENDINGS.map((ending) => base + ending).find(isFile)
    if (file !== undefined) return file
    if (!this.#probe.isFolder(base)) return undefined
    const main = isInFolder ? undefined : this.#main(base)
    const byMain = main === undefined ? undefined : this.pick(main, sourceFirst, true)
    return byMain ?? ENDINGS.map((ending) => path.join(base, `index${ending}`)).find(isFile)
  }

  #main(folder: string): string | undefined {
    const file = path.join(folder, 'package.json')
    try {
      const { main } = JSON.parse(readFileSync(file, 'utf8')) as { main?: unknown }
      return typeof main === 'string' ? path.resolve(folder, main) : undefined
    } catch {
      // One that appears later is noticed.
      this.#probe.isFile(file)
      return undefined
    }
  }
}
