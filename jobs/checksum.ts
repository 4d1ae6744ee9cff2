// Computes the size, SHA-256 and kind of a file. The item is its path.
// The file is streamed, so a large one needs no more memory than a small one.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { TaskContext } from 'poolrun'
import { classify } from './lib/classify.js'

const CLASSIFY_BYTES = 512

export default async function checksum(path: string, { signal }: TaskContext) {
  const hash = createHash('sha256')
  let size = 0
  let head = Buffer.alloc(0)
  for await (const part of createReadStream(path, { signal })) {
    if (head.length < CLASSIFY_BYTES) head = Buffer.concat([head, part]).subarray(0, CLASSIFY_BYTES)
    hash.update(part)
    size += part.length
  }
  return { path, kind: classify(head), size, sha256: hash.digest('hex') }
}
