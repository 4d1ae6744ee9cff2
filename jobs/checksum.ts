// Checksums and classifies a file: the item is its path, the result its size, SHA-256 and kind.
// I/O-bound and streaming, so a large file costs no more memory than a small one.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { TaskContext } from 'poolrun'
import { classify } from './lib/classify.js'

const ENOUGH_TO_CLASSIFY = 512

export default async function checksum(path: string, { signal }: TaskContext) {
  const hash = createHash('sha256')
  let size = 0
  let head = Buffer.alloc(0)
  for await (const part of createReadStream(path, { signal })) {
    if (head.length < ENOUGH_TO_CLASSIFY) head = Buffer.concat([head, part]).subarray(0, ENOUGH_TO_CLASSIFY)
    hash.update(part)
    size += part.length
  }
  return { path, kind: classify(head), size, sha256: hash.digest('hex') }
}
