// The files of a JavaScript job as they were before it was first loaded. Workers import them themselves, so a worker that is
// replaced would load what they are now. Compiled jobs need no snapshot: all workers load the same graph.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { relativeImports } from './relative-imports.js'

/** A job with more files than this is watched in part. */
const MAX_FILES = 1_000

interface Version {
  /** What no edit leaves as it was. Compared first, because each worker that starts compares all files twice. */
  readonly stamp: string
  readonly hash: string
}

export class JobSnapshot {
  readonly #versions = new Map<string, Version>()

  /** Reads the job and, from file to file, what it imports by a relative path. */
  constructor(url: string) {
    const files = [fileURLToPath(url)]
    for (let file = files.pop(); file !== undefined && this.#versions.size < MAX_FILES; file = files.pop()) {
      if (this.#versions.has(file)) continue
      const stamp = stampOf(file)
      const text = read(file)
      if (text === undefined) continue
      this.#versions.set(file, { stamp, hash: hash(text) })
      files.push(...relativeImports(text, file).flatMap((found) => found.file ?? []))
    }
  }

  /** A file that is not what it was; `undefined` if there is none. */
  changed(): string | undefined {
    for (const [file, before] of this.#versions) {
      const stamp = stampOf(file)
      if (stamp === before.stamp) continue
      if (hash(read(file)) !== before.hash) return file
      this.#versions.set(file, { ...before, stamp })
    }
    return undefined
  }
}

/** The job and, from file to file, what it imports by a relative path. */
export function filesOfJob(entry: string): string[] {
  const found = new Set<string>()
  const files = [entry]
  for (let file = files.pop(); file !== undefined && found.size < MAX_FILES; file = files.pop()) {
    const text = found.has(file) ? undefined : read(file)
    if (text === undefined) continue
    found.add(file)
    files.push(...relativeImports(text, file).flatMap((imported) => imported.file ?? []))
  }
  return [...found]
}

/** Empty if it cannot be read. */
function stampOf(file: string): string {
  try {
    const { dev, ino, size, ctimeNs } = statSync(file, { bigint: true })
    return `${dev} ${ino} ${size} ${ctimeNs}`
  } catch {
    return ''
  }
}

/** `undefined` if it cannot be read. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}

function hash(text: string | undefined): string {
  return createHash('sha256')
    .update(text ?? '')
    .digest('hex')
}
