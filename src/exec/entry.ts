// Path of the built job that runs commands, from the bundle as well as from the sources.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

export function commandJobUrl(): string {
  const bundled = !import.meta.filename.endsWith('.ts')
  return pathToFileURL(path.join(import.meta.dirname, bundled ? 'command.cjs' : '../../dist/command.cjs'))
    .href
}
