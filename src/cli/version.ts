// The version, from the package's own package.json: one folder up from the built files, two from the sources. Found by
// its name it would cost `--version` some milliseconds.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export function version(): string {
  const built = path.join(import.meta.dirname, '../package.json')
  const file = existsSync(built) ? built : path.join(import.meta.dirname, '../../package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
