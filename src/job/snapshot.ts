// The files of a JavaScript job as they were when it was first loaded. Workers import them themselves, so a worker that is
// replaced would load what they are now. Compiled jobs need no snapshot: all workers load the same bundle.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A job with more files than this is watched in part. */
const MAX_FILES = 1_000
/** `from './a.js'`, `import './a.js'`, `import('./a.js')`, `require('./a')`. One too many, in a comment, does no harm. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g
/** What `require` tries in this order. */
const ENDINGS = ['', '.js', '.json', '/index.js']

export class JobSnapshot {
  readonly #hashes = new Map<string, string>()

  /** Reads the job and, from file to file, what it imports by a relative path. */
  constructor(url: string) {
    const files = [fileURLToPath(url)]
    for (let file = files.pop(); file !== undefined && this.#hashes.size < MAX_FILES; file = files.pop()) {
      if (this.#hashes.has(file)) continue
      const text = read(file)
      if (text === undefined) continue
      this.#hashes.set(file, hash(text))
      files.push(...importsOf(text, path.dirname(file)))
    }
  }

  /** A file that is not what it was; `undefined` if there is none. */
  changed(): string | undefined {
    for (const [file, before] of this.#hashes) if (hash(read(file)) !== before) return file
    return undefined
  }
}

function importsOf(text: string, folder: string): string[] {
  return [...text.matchAll(RELATIVE_IMPORT)].flatMap(([, , specifier]) => {
    const base = path.join(folder, specifier!)
    return ENDINGS.map((ending) => base + ending).find(isFile) ?? []
  })
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true
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
