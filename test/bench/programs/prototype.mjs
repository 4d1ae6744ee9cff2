// The limit for rows 1 and 2: two forks, NDJSON from stdin routed to them as bytes in 64 KiB chunks over the advanced
// channel, answers written in order. No error handling, no settling, no memory bound beyond three chunks a worker.
import { fork } from 'node:child_process'
import { readSync, writeSync } from 'node:fs'

const CHUNK = 1 << 16
const AHEAD = 3
const entry = new URL('./prototype-worker.mjs', import.meta.url)
const workers = [fork(entry, { serialization: 'advanced' }), fork(entry, { serialization: 'advanced' })]
let rest = Buffer.alloc(0)
let ended = false
let sent = 0
let written = 0
const done = new Map()

for (const worker of workers) {
  worker.on('message', ([id, bytes]) => {
    feed(worker)
    done.set(id, bytes)
    for (let next = done.get(written); next !== undefined; next = done.get(written)) {
      writeAll(next)
      done.delete(written++)
    }
    if (ended && written === sent) for (const each of workers) each.disconnect()
  })
  for (let i = 0; i < AHEAD; i++) feed(worker)
}

function feed(worker) {
  const bytes = nextChunk()
  if (bytes !== undefined) worker.send([sent++, bytes])
}

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

function writeAll(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
