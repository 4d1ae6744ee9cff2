// The limit for regular files: two forks that read their slices of the file themselves. The parent looks only at the cuts.
import { fstatSync, openSync, readSync } from 'node:fs'
import { runInOrder } from './two-workers.mjs'

const SLICE = 1 << 18
const NEAR_CUT = 1 << 12
const file = process.argv[2]
const fd = openSync(file)
const { size } = fstatSync(fd)
const near = Buffer.allocUnsafe(NEAR_CUT)
let from = 0

runInOrder(new URL('./slices-worker.mjs', import.meta.url), [file], () => {
  if (from === size) return undefined
  const slice = [from, cutAfter(Math.min(from + SLICE, size))]
  from = slice[1]
  return slice
})

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
