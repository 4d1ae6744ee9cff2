// The limit for rows 1 and 2: two forks, NDJSON from stdin routed to them as bytes in 64 KiB chunks over the advanced
// channel, answers written in order.
import { readSync } from 'node:fs'
import { runInOrder } from './two-workers.mjs'

const CHUNK = 1 << 16
let rest = Buffer.alloc(0)
let ended = false

runInOrder(new URL('./prototype-worker.mjs', import.meta.url), [], () => {
  const bytes = nextChunk()
  return bytes && [bytes]
})

function nextChunk() {
  while (!ended) {
    const buffer = Buffer.allocUnsafe(CHUNK)
    rest.copy(buffer)
    const read = readSync(0, buffer, rest.length, CHUNK - rest.length)
    const filled = rest.length + read
    if (read === 0) {
      ended = true
      return filled === 0 ? undefined : rest
    }
    const end = buffer.lastIndexOf(10, filled - 1) + 1
    rest = buffer.subarray(end, filled)
    if (end > 0) return buffer.subarray(0, end)
  }
  return undefined
}
