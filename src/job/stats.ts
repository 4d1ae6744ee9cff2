// Looks at a file. Imports only `node:fs`: workers load this with the loader of jobs.
import { type Stats, statSync } from 'node:fs'

/**
 * `undefined` where it does not exist, and where the system does not let this process look: in a folder of somebody
 * else, behind a loop of links.
 */
export function statsOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

export function isFile(file: string): boolean {
  return statsOf(file)?.isFile() === true
}
