// Reads the version from package.json, which is one folder up from the built files and two from the sources. Resolving
// the package by name would cost `--version` some milliseconds.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describeProcessors, processors } from '../processors.js'

export function version(): string {
  const built = path.join(import.meta.dirname, '../package.json')
  const file = existsSync(built) ? built : path.join(import.meta.dirname, '../../package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** What a report of a problem should mention. */
export function versionDetails(): string {
  const { version: node, platform, arch } = process
  return `Node ${node}, ${platform} ${arch}\n${describeProcessors(processors())}`
}
