// Peak memory: of the parent while ten times as many records pass through it, and of a large JSON array.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { knowsPeaks, peakMiB } from '../measure.js'
import { node, poolrun, program, records } from '../tools.js'

const IMAP = [...poolrun, 'imap', program('identity.mjs'), '-j', '2']

export default {
  number: 9,
  title:
    'peak memory of the parent, records of 262 bytes through a pipe; of the largest process, 300 MB in one array',
  async run({ tmp, alternate, row, skip }) {
    if (!knowsPeaks) return skip('peak memory', 'no /proc here')
    const file = records(tmp, 300_000, 'ndjson')
    const { few, many } = await alternate({ few: () => parentMiB(file, 1), many: () => parentMiB(file, 10) })
    row({ versus: '3,000,000 records: limit 120 MiB', ours: many, peer: 120, unit: 'MiB', atMost: 1 })
    row({ versus: '3,000,000 records against 300,000', ours: many, peer: few, unit: 'MiB', atMost: 1.25 })
    const array = records(tmp, 1_200_000, 'json')
    const { ours, peer } = await alternate({
      ours: () => largestMiB(IMAP, array),
      peer: () => largestMiB([node, program('array-loop.mjs')], array),
    })
    row({ versus: '2b. one JSON array, against JSON.parse', ours, peer, unit: 'MiB', atMost: 0.2 })
  },
}

function parentMiB(file, times) {
  const cat = spawn('cat', Array(times).fill(file), { stdio: ['ignore', 'pipe', 'inherit'] })
  const [command, ...args] = IMAP
  const child = spawn(command, args, { stdio: [cat.stdout, 'ignore', 'ignore'] })
  cat.stdout.destroy()
  return peakMiB(child)
}

function largestMiB([command, ...args], file) {
  const input = openSync(file, 'r')
  const child = spawn(command, args, { stdio: [input, 'ignore', 'ignore'] })
  closeSync(input)
  return peakMiB(child, { ofLargest: true })
}
