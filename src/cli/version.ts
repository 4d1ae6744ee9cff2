// The version, from the package's own package.json: one folder up from the built files, two from the sources. Found by
// its name it would cost `--version` some milliseconds.
import { existsSync, readFileSync } from 'node:fs'

export function version(): string {
  const built = new URL('../package.json', import.meta.url)
  const file = existsSync(built) ? built : new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
