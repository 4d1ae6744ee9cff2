// Compiled jobs on disk: reused while nothing that they were made from has changed, and written so that a reader never
// sees half a file.
import { hash, randomBytes } from 'node:crypto'
import {
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

/** What a compiled job was made from. */
export interface Inputs {
  /** Absolute path of each file, and the sha256 of its content. */
  readonly contents: Readonly<Record<string, string>>
  /** Files that must exist, with any content: what packages were resolved to. */
  readonly present: readonly string[]
  /** Files that would change the result if they existed. */
  readonly absent: readonly string[]
  /** Paths, with what they are without symbolic links. */
  readonly links: Readonly<Record<string, string>>
}

interface Manifest {
  readonly inputs: Inputs
  /** Its name in the folder, and its size: a file cut short by a full disk or a crash is not used. */
  readonly graph: readonly [name: string, size: number]
  readonly warnings: readonly string[]
}

/** A compiled job in the folder. */
export interface Cached {
  readonly file: string
  readonly warnings: readonly string[]
}

const DAY_MS = 24 * 60 * 60 * 1000

export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content)
}

/**
 * The compiled job of `key`, if it is there and its inputs have not changed. Every input is read and hashed:
 * modification times cannot be trusted, and reading is cheap.
 */
export function find(folder: string, key: string): Cached | undefined {
  try {
    const manifestFile = manifestOf(folder, key)
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest
    const { contents, present, absent, links } = manifest.inputs
    for (const [file, expected] of Object.entries(contents)) {
      if (sha256(readFileSync(file)) !== expected) return undefined
    }
    if (!present.every((file) => existsSync(file)) || absent.some((file) => existsSync(file)))
      return undefined
    for (const [link, target] of Object.entries(links)) if (realpathSync(link) !== target) return undefined
    const [name, size] = manifest.graph
    const file = path.join(folder, name)
    if (statSync(file).size !== size) return undefined
    keepFresh([manifestFile, file])
    return { file, warnings: manifest.warnings }
  } catch {
    return undefined
  }
}

/** Stores a compiled job and returns its file. Throws if the folder cannot be written. */
export function store(
  folder: string,
  key: string,
  compiled: { graph: string; inputs: Inputs; warnings: readonly string[] },
): string {
  // Named by content: a process that found an earlier version of the job can still load that one.
  const name = `${key.slice(0, 16)}-${sha256(compiled.graph).slice(0, 16)}.graph`
  const file = path.join(folder, name)
  const { inputs, warnings } = compiled
  const manifest: Manifest = { inputs, graph: [name, Buffer.byteLength(compiled.graph)], warnings }
  replace(file, compiled.graph)
  replace(manifestOf(folder, key), JSON.stringify(manifest))
  keepFresh([file, manifestOf(folder, key)])
  return file
}

function manifestOf(folder: string, key: string): string {
  return path.join(folder, `${key}.json`)
}

/** Complete or not at all, for all who read it. */
export function replace(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const inUse = new Set<string>()
let refreshing = false

/** Protects files from pruning by age: a pool may live for months and start workers at any time. */
function keepFresh(files: readonly string[]): void {
  for (const file of files) {
    inUse.add(file)
    if (Date.now() - statSync(file).mtimeMs > DAY_MS) touch(file)
  }
  if (refreshing) return
  refreshing = true
  setInterval(() => inUse.forEach(touch), DAY_MS).unref()
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date())
  } catch {
    inUse.delete(file) // Removed, or another user's, who keeps it fresh.
  }
}
