// What a walk knows of a file: its compiled code, and what each of its imports leads to.
import { pathToFileURL } from 'node:url'
import type { CompiledSource, Request } from './compile-source.js'
import type { SourceFile } from './source-file.js'

/** What a request leads to. */
export type Target =
  | {
      readonly kind: 'file'
      readonly file: string
      readonly query: string
      /** By a package.json, which Node may read under other conditions. */
      readonly byPackage: boolean
    }
  | External
  | { readonly kind: 'builtin' }
  | { readonly kind: 'missing' }

/** Nothing in it has to be compiled. */
export interface External {
  readonly kind: 'external'
  readonly url: string
  /** Node does not find it by the specifier. */
  readonly isNamedByUrl?: boolean
}

export interface Node {
  readonly source: SourceFile
  readonly compiled: CompiledSource
  readonly targets: ReadonlyMap<Request, Target>
}

/** By file. */
export type Nodes = ReadonlyMap<string, Node>

/** Node finds the same outside of the graph. */
export function isNatural(specifier: string, { isNamedByUrl }: External): boolean {
  return isNamedByUrl !== true && specifier !== 'poolrun' && !/^[./]/.test(specifier)
}

export function urlOf({ file, query }: { readonly file: string; readonly query: string }): string {
  return pathToFileURL(file).href + query
}
