// One process that writes the results of large-results.mjs for the items that it reads from stdin.
import { readFileSync, writeSync } from 'node:fs'
import large from './large-results.mjs'

for (const line of readFileSync(0, 'utf8').trimEnd().split('\n')) {
  const bytes = Buffer.from(`${JSON.stringify(large(JSON.parse(line)))}\n`)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
