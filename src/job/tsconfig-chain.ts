// Finds the files that a tsconfig.json extends, whose changes count as its own.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

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
