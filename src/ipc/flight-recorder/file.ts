// The flight recorder's file in the parent: made without a name, read as a whole, closed when the worker has exited.
import { closeSync, readSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { tryOpenNamelessFile } from '../../nameless-file.js'
import { FILE_BYTES, HEADER } from './format.js'
import { type FlightRecord, readFlightRecord } from './reader.js'

export interface FlightRecordFile {
  readonly fd: number
  /** `undefined` where the file cannot be trusted: nothing is known then, which is not the same as nothing began. */
  read(): FlightRecord | undefined
  close(): void
}

/** `undefined` where none of the folders has room for it; then less is known after a crash. */
export function createFlightRecordFile(
  folders: readonly string[] = ['/dev/shm', tmpdir()],
): FlightRecordFile | undefined {
  for (const folder of folders) {
    const fd = tryOpenNamelessFile(folder)
    if (fd === undefined) continue
    if (tryReserve(fd)) return { fd, read: () => readFile(fd), close: () => closeSync(fd) }
    closeSync(fd)
  }
  return undefined
}

/**
 * Not a write to a position: the descriptor then points behind the file, so that a job that writes to it by mistake does
 * not damage the records.
 */
function tryReserve(fd: number): boolean {
  const bytes = Buffer.alloc(FILE_BYTES)
  HEADER.copy(bytes)
  try {
    return writeSync(fd, bytes) === FILE_BYTES
  } catch {
    return false
  }
}

function readFile(fd: number): FlightRecord | undefined {
  try {
    const bytes = Buffer.allocUnsafe(FILE_BYTES)
    return readSync(fd, bytes, 0, FILE_BYTES, 0) < FILE_BYTES ? undefined : readFlightRecord(bytes)
  } catch {
    return undefined
  }
}
