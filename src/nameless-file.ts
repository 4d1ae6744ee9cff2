// Temporary files without a name: unlinked while they are open, so that nothing of them outlives their processes.
import { randomUUID } from 'node:crypto'
import { openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** A file descriptor for reading and writing. Throws if the folder cannot hold a file. */
export function openNamelessFile(folder: string): number {
  const path = join(folder, `poolrun-${randomUUID()}`)
  const fd = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return fd
}

/** `undefined` if the folder cannot hold a file. */
export function tryOpenNamelessFile(folder: string): number | undefined {
  try {
    return openNamelessFile(folder)
  } catch {
    return undefined
  }
}
