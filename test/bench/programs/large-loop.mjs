// One process that writes the results of large-results.mjs for the items that it reads from stdin.
import { readFileSync } from 'node:fs'
import large from './large-results.mjs'
import { writeAll } from './write-all.mjs'

for (const line of readFileSync(0, 'utf8').trimEnd().split('\n'))
  writeAll(`${JSON.stringify(large(JSON.parse(line)))}\n`)
