// A worker of the prototype with slices: reads its part of the file, and answers as the other prototype's worker does.
import { openSync, readSync } from 'node:fs'
import { echoLines } from './echo-lines.mjs'

const fd = openSync(process.argv[2])
let buffer = Buffer.allocUnsafe(0)

process.on('message', ([id, start, end]) => {
  const length = end - start
  if (buffer.length < length) buffer = Buffer.allocUnsafe(2 * length)
  for (let at = 0; at < length; ) at += readSync(fd, buffer, at, length - at, start + at)
  process.send([id, Buffer.from(echoLines(buffer.toString('utf8', 0, length)))])
})
