// Compiled jobs on disk: reused while nothing that they were made from has changed, and written so that a reader never
// sees half a file.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** What a compiled job was made from. */
export interface Inputs {
  /** Absolute path of each file, and the sha256 of its content. */
  readonly contents: Readonly<Record<string, string>>
  /** Files that must exist, with any content: what packages were resolved to. */
  readonly present: readonly string[]
  /** Files that would change the result if they existed. */
  readonly absent: readonly string[]
}

interface Manifest {
  readonly inputs: Inputs
  /** Names in the folder, with their sizes: a file cut short by a full disk or a crash is not used. */
  readonly code: readonly [name: string, size: number]
  readonly map: readonly [name: string, size: number]
}

const DAY_MS = 24 * 60 * 60 * 1000

export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/**
 * The compiled module of `key`, if it is there and its inputs have not changed. Every input is read and hashed:
 * modification times cannot be trusted, and reading is cheap.
 */
export function find(folder: string, key: string): string | undefined {
  try {
    const manifestFile = manifestOf(folder, key)
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as Manifest
    const { contents, present, absent } = manifest.inputs
    for (const [file, hash] of Object.entries(contents)) {
      if (sha256(readFileSync(file)) !== hash) return undefined
    }
    if (!present.every((file) => existsSync(file)) || absent.some((file) => existsSync(file)))
      return undefined
    const [code, map] = [manifest.code, manifest.map].map(([name, size]) => {
      const file = path.join(folder, name)
      return statSync(file).size === size ? file : undefined
    })
    if (code === undefined || map === undefined) return undefined
    keepFresh([manifestFile, code, map])
    return code
  } catch {
    return undefined
  }
}

/** Stores a compiled module and returns its file. Throws if the folder cannot be written. */
export function store(
  folder: string,
  key: string,
  compiled: { code: string; map: string; inputs: Inputs },
): string {
  // Named by content: a process that found an earlier version of the job can still import that one.
  const name = `${key.slice(0, 16)}-${sha256(compiled.code, compiled.map).slice(0, 16)}.mjs`
  // Node uses this line to map the stacks that the job prints itself.
  const text = `${compiled.code}//# sourceMappingURL=${name}.map\n`
  const code = [name, Buffer.byteLength(text)] as const
  const map = [`${name}.map`, Buffer.byteLength(compiled.map)] as const
  const manifest: Manifest = { inputs: compiled.inputs, code, map }
  const files = [path.join(folder, code[0]), path.join(folder, map[0]), manifestOf(folder, key)] as const
  replace(files[1], compiled.map)
  replace(files[0], text)
  replace(files[2], JSON.stringify(manifest))
  keepFresh(files)
  return files[0]
}

function manifestOf(folder: string, key: string): string {
  return path.join(folder, `${key}.json`)
}

function replace(file: string, content: string): void {
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
