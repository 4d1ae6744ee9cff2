// A compiled job as its workers load it: every file that it imports by a fixed name, as it was when the run began.
// Imports only `node:` modules and types.
import { readFileSync } from 'node:fs'

export interface GraphFile {
  readonly format: 'module' | 'commonjs' | 'json'
  /** JavaScript, with its source map as a comment if it was compiled. */
  readonly code: string
  readonly isCompiled: boolean
  /** The URL that `import` of a specifier leads to; empty where Node finds it. */
  readonly imports: Readonly<Record<string, string>>
  /** The same for `require`, as paths. */
  readonly requires: Readonly<Record<string, string>>
  /** Of a CommonJS file: the names that `import` sees. */
  readonly names: readonly string[]
  /** Of an ES module: the modules in TypeScript, or rewritten, that its declarations import, in their order. */
  readonly loadsFirst: readonly string[]
}

/** One step of loading a graph without hooks: a file of the graph, or something that one imports from elsewhere. */
export type LoadStep = { readonly file: string } | { readonly url: string; readonly json: boolean }

export interface JobGraph {
  /** Absolute path, without symbolic links. */
  readonly entry: string
  readonly files: Readonly<Record<string, GraphFile>>
  /** How Node without `registerHooks` loads all files in the right order; absent where that needs hooks. */
  readonly steps?: readonly LoadStep[]
}

export function readGraph(file: string): JobGraph {
  return JSON.parse(readFileSync(file, 'utf8')) as JobGraph
}
