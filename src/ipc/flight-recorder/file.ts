// The flight recorder's file in the parent: made without a name, read as a whole, closed when the worker has exited.
import { closeSync, readSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { tryOpenNamelessFile } from '../../nameless-file.js'
import { type FlightRecord, readFlightRecord } from './reader.js'

/** Nearly always the whole file: it starts over long before it is this long. */
const BLOCK_BYTES = 256 * 1024

export interface FlightRecordFile {
  readonly fd: number
  read(): FlightRecord
  close(): void
}

/** `undefined` where no temporary file can be made; then less is known after a crash. */
export function createFlightRecordFile(): FlightRecordFile | undefined {
  const fd = tryOpenNamelessFile('/dev/shm') ?? tryOpenNamelessFile(tmpdir())
  if (fd === undefined) return undefined
  return { fd, read: () => readFlightRecord(readAll(fd)), close: () => closeSync(fd) }
}

function readAll(fd: number): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; ; ) {
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    let count = 0
    try {
      count = readSync(fd, block, 0, block.length, at)
    } catch {
      return Buffer.concat(blocks)
    }
    if (count === 0) return Buffer.concat(blocks)
    blocks.push(block.subarray(0, count))
    at += count
    if (count < block.length) return Buffer.concat(blocks)
  }
}
