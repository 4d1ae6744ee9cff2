// Whether a file is a program.
import { accessSync, constants, statSync } from 'node:fs'

/** A regular file that this process may execute. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
