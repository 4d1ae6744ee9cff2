// Whether a JavaScript job leads to TypeScript. If not, Node loads it as it is.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { foldersAbove } from './compiler/probe.js'
import { isCompiledFile } from './file-kinds.js'
import { relativeImports } from './relative-imports.js'
import { isFile } from './stats.js'

const MAX_FILES = 1_000
/** `import(name)`, `require(name)`: not a literal. */
const CHOSEN_AT_RUN_TIME = /\b(?:import|require)\s*\(\s*[^'")\s]/
const SOURCE_ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '/index.ts', '/index.tsx']

/** From file to file, by relative imports. Names chosen at run time count in a project that has a tsconfig.json. */
export function usesTypeScript(entry: string): boolean {
  const seen = new Set<string>()
  const files = [entry]
  for (let file = files.pop(); file !== undefined && seen.size < MAX_FILES; file = files.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    const text = readText(file)
    if (CHOSEN_AT_RUN_TIME.test(text) && hasTsconfig(entry)) return true
    for (const { base, file: found } of relativeImports(text, file)) {
      if (found === undefined ? isSource(base) : isCompiledFile(found)) return true
      if (found !== undefined) files.push(found)
    }
  }
  return false
}

function isSource(base: string): boolean {
  const stem = base.replace(/\.[mc]?jsx?$/, '')
  return [base, stem].some((some) => SOURCE_ENDINGS.some((ending) => isFile(some + ending)))
}

function hasTsconfig(file: string): boolean {
  for (const folder of foldersAbove(file)) {
    if (existsSync(path.join(folder, 'tsconfig.json'))) return true
    if (existsSync(path.join(folder, 'package.json'))) return false
  }
  return false
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
