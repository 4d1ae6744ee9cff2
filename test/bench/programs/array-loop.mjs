// One process that reads a whole JSON array from stdin with `JSON.parse`, and writes its elements as lines.
import { readFileSync } from 'node:fs'
import { writeAll } from './write-all.mjs'

let out = ''
for (const item of JSON.parse(readFileSync(0, 'utf8'))) {
  out += `${JSON.stringify(item)}\n`
  if (out.length > 1 << 18) {
    writeAll(out)
    out = ''
  }
}
writeAll(out)
