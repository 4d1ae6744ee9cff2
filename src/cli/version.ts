// The version, from the package's own package.json. Asked for by name, so that it is found from the sources and
// from wherever the bundler puts this file.
import { createRequire } from 'node:module'

export function version(): string {
  return (createRequire(import.meta.url)('poolrun/package.json') as { version: string }).version
}
