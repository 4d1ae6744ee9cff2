// What a JavaScript file imports by a relative path, found without parsing it.
import path from 'node:path'
import { isFile } from './stats.js'

/** `from './a.js'`, `import './a.js'`, `import('./a.js')`, `require('./a')`. One too many, in a comment, does no harm. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g
/** What `require` tries in this order. */
const ENDINGS = ['', '.js', '.json', '/index.js']

export interface RelativeImport {
  /** The path as it is written, made absolute. */
  readonly base: string
  /** `undefined` if there is none. */
  readonly file: string | undefined
}

export function relativeImports(text: string, importer: string): RelativeImport[] {
  return [...text.matchAll(RELATIVE_IMPORT)].map(([, , specifier]) => {
    // `./a.js?once` is another module from the same file.
    const base = path.join(path.dirname(importer), specifier!.replace(/\?.*$/, ''))
    return { base, file: ENDINGS.map((ending) => base + ending).find(isFile) }
  })
}
