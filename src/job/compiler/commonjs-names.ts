// The names that `import` sees of a CommonJS module, with those that it passes on from others.
import type { CompiledSource } from './compile-source.js'

type Names = Pick<CompiledSource, 'names' | 'reexports'>

/** `read`: the module that a specifier means in `file`; `undefined` if there is none, or it is not CommonJS. */
export function allNames(
  file: string,
  own: Names,
  read: (specifier: string, importer: string) => ({ readonly file: string } & Names) | undefined,
): string[] {
  const names = new Set<string>()
  const seen = new Set<string>()
  const add = (current: string, { names: some, reexports }: Names) => {
    if (seen.has(current)) return
    seen.add(current)
    for (const name of some) names.add(name)
    for (const specifier of reexports) {
      const next = read(specifier, current)
      if (next !== undefined) add(next.file, next)
    }
  }
  add(file, own)
  return [...names]
}
