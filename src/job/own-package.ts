// Where the running poolrun is installed.
import { createRequire } from 'node:module'

export function ownPackageFile(): string {
  return createRequire(import.meta.filename).resolve('poolrun/package.json')
}
