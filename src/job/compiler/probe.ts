// Looks at the file system for the compiler, and keeps what it saw: a compiled job is used again only while all of it is
// still so.
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { statsOf } from '../stats.js'

export class Probe {
  /** Paths of files that were looked for, and did not exist or could not be looked at. */
  readonly absent = new Set<string>()
  /** Paths that exist, with what they are without symbolic links. */
  readonly links = new Map<string, string>()

  isFile(file: string): boolean {
    const stats = statsOf(file)
    if (stats === undefined) this.absent.add(file)
    return stats?.isFile() === true
  }

  isFolder(file: string): boolean {
    const stats = statsOf(file)
    if (stats === undefined) this.absent.add(file)
    return stats?.isDirectory() === true
  }

  real(file: string): string {
    const real = realpathSync(file)
    this.links.set(file, real)
    return real
  }

  /** The nearest file of that name in the folder of `file` or above. */
  nearest(name: string, file: string): string | undefined {
    for (const folder of foldersAbove(file)) {
      const candidate = path.join(folder, name)
      if (this.isFile(candidate)) return candidate
    }
    return undefined
  }
}

export function* foldersAbove(file: string): Generator<string> {
  let folder = path.dirname(file)
  while (true) {
    yield folder
    const parent = path.dirname(folder)
    if (parent === folder) return
    folder = parent
  }
}
