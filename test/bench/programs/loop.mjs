// One process: reads NDJSON from stdin, parses and stringifies each line, writes it. What a pool must be faster than.
import { readSync } from 'node:fs'
import { writeAll } from './write-all.mjs'

const buffer = Buffer.allocUnsafe(1 << 18)
let rest = ''
const decoder = new TextDecoder()
for (let read = readChunk(); read > 0; read = readChunk()) {
  const text = rest + decoder.decode(buffer.subarray(0, read), { stream: true })
  let out = ''
  let from = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    out += `${JSON.stringify(JSON.parse(text.slice(from, end)))}\n`
    from = end + 1
  }
  rest = text.slice(from)
  writeAll(out)
}
if (rest !== '') writeAll(`${JSON.stringify(JSON.parse(rest))}\n`)

function readChunk() {
  for (;;) {
    try {
      return readSync(0, buffer)
    } catch (error) {
      if (error.code === 'EOF') return 0
      if (error.code !== 'EAGAIN') throw error
    }
  }
}
