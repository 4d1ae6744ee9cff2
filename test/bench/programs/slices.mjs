// The limit for regular files: two forks that read their slices of the file themselves. The parent looks only at the cuts.
// Results go back over the advanced channel and are written in order. No error handling, no settling.
import { fork } from 'node:child_process'
import { fstatSync, openSync, readSync, writeSync } from 'node:fs'

const SLICE = 1 << 18
const NEAR_CUT = 1 << 12
const AHEAD = 3
const file = process.argv[2]
const fd = openSync(file)
const { size } = fstatSync(fd)
const near = Buffer.allocUnsafe(NEAR_CUT)
const entry = new URL('./slices-worker.mjs', import.meta.url)
const workers = [1, 2].map(() => fork(entry, [file], { serialization: 'advanced' }))
let from = 0
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
    if (from === size && written === sent) for (const each of workers) each.disconnect()
  })
  for (let i = 0; i < AHEAD; i++) feed(worker)
}

function feed(worker) {
  if (from === size) return
  const to = cutAfter(Math.min(from + SLICE, size))
  worker.send([sent++, from, to])
  from = to
}

/** The end of the line that holds the byte before `at`. */
function cutAfter(at) {
  while (at < size) {
    const length = readSync(fd, near, 0, NEAR_CUT, at)
    const end = near.subarray(0, length).indexOf(10)
    if (end >= 0) return at + end + 1
    at += length
  }
  return size
}

function writeAll(bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
