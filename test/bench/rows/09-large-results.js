// Peak memory of the largest process, parent or worker, behind a slow reader.
import { spawn } from 'node:child_process'
import { knowsPeaks, peakMiB } from '../measure.js'
import { node, poolrun, program } from '../tools.js'

const COUNT = 400
const BYTES_PER_SECOND = 40_000_000

export default {
  number: 9,
  title: `peak memory of the largest process, -j 16, ${COUNT} results of 1 MB, a reader of 40 MB/s`,
  async run({ alternate, row, skip }) {
    if (!knowsPeaks) return skip('peak memory', 'no /proc here')
    const { ours } = await alternate({ ours: largestMiB })
    row({ versus: '9b. limit 250 MiB', ours, peer: 250, unit: 'MiB', atMost: 1 })
  },
}

async function largestMiB() {
  const [command, ...args] = [...poolrun, 'imap', program('large-results.mjs'), '-j', '16', '-q']
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const reader = spawn(node, [program('slow-reader.mjs'), String(BYTES_PER_SECOND)], {
    stdio: [child.stdout, 'ignore', 'inherit'],
  })
  child.stdout.destroy()
  child.stdin.end(Array.from({ length: COUNT }, (_, n) => `${n}\n`).join(''))
  const [peak] = await Promise.all([peakMiB(child, { ofLargest: true }), peakMiB(reader)])
  return peak
}
