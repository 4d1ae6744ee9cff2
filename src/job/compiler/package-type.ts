// What the nearest package.json says about the format of a file.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Probe } from './probe.js'

export class PackageTypes {
  readonly #probe: Probe
  readonly #byFolder = new Map<
    string,
    { file: string | undefined; type: 'module' | 'commonjs' | undefined }
  >()

  constructor(probe: Probe) {
    this.#probe = probe
  }

  for(file: string): { file: string | undefined; type: 'module' | 'commonjs' | undefined } {
    const folder = path.dirname(file)
    let found = this.#byFolder.get(folder)
    if (found === undefined) {
      const nearest = this.#probe.nearest('package.json', file)
      found = { file: nearest, type: nearest === undefined ? undefined : typeIn(nearest) }
      this.#byFolder.set(folder, found)
    }
    return found
  }
}

function typeIn(file: string): 'module' | 'commonjs' | undefined {
  try {
    const { type } = JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }
    return type === 'module' || type === 'commonjs' ? type : undefined
  } catch {
    return undefined
  }
}
