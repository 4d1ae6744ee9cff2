// Finds the configuration files that affect how a source file is compiled: package.json, tsconfig.json and the files it
// extends. Only the compiler interprets them.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

export interface Nearest {
  readonly file?: string
  /** Paths of files that would be nearer, but do not exist. */
  readonly absent: readonly string[]
}

/** Looks for `name` in the directory and its parents. */
export function nearest(name: string, directory: string): Nearest {
  const absent: string[] = []
  for (const parent of parentsOf(directory)) {
    const file = path.join(parent, name)
    if (existsSync(file)) return { file, absent }
    absent.push(file)
  }
  return { absent }
}

/** The tsconfig and all files it extends, each once. */
export function tsconfigChain(file: string, chain = new Set<string>()): Set<string> {
  if (chain.has(file)) return chain
  chain.add(file)
  for (const name of extendsOf(file)) {
    const base = resolveExtends(name, file)
    if (base !== undefined) tsconfigChain(base, chain)
  }
  return chain
}

/** Whether a bare specifier names an installed package or the importer's own, and not an alias of a tsconfig. */
export function isPackage(specifier: string, directory: string): boolean {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  for (const parent of parentsOf(directory)) {
    if (existsSync(path.join(parent, 'node_modules', name))) return true
  }
  const own = nearest('package.json', directory).file
  return own !== undefined && nameOf(own) === name
}

function* parentsOf(directory: string): Generator<string> {
  let current = directory
  while (true) {
    yield current
    const parent = path.dirname(current)
    if (parent === current) return
    current = parent
  }
}

function nameOf(packageFile: string): unknown {
  try {
    return (JSON.parse(readFileSync(packageFile, 'utf8')) as { name?: unknown } | null)?.name
  } catch {
    return undefined
  }
}

/** A tsconfig is JSON with comments and trailing commas. A false match of `extends` only adds a file to watch. */
function extendsOf(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const bare = text.replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[\s\S]*?\*\//g, '$1')
  const value = /"extends"\s*:\s*(\[[^\]]*\]|"(?:\\.|[^"\\])*")/.exec(bare)?.[1]
  return (value?.match(/"(?:\\.|[^"\\])*"/g) ?? []).map((name) => JSON.parse(name) as string)
}

function resolveExtends(name: string, from: string): string | undefined {
  if (/^\.|^[/\\]|^[A-Za-z]:/.test(name)) {
    const file = path.resolve(path.dirname(from), name)
    return [file, `${file}.json`].find((candidate) => candidate.endsWith('.json') && existsSync(candidate))
  }
  const require = createRequire(from)
  for (const candidate of [name, `${name}.json`, `${name}/tsconfig.json`]) {
    try {
      const file = require.resolve(candidate)
      if (file.endsWith('.json')) return file
    } catch {
      // Try the next name. If none resolves, esbuild reports it.
    }
  }
  return undefined
}
