// Peak memory of the parent while ten times as many records pass through it. Linux alone tells it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { peakMiBOf, poolrun, program, records } from '../tools.js'

const SAMPLE_MS = 20

export default {
  number: 9,
  title: 'peak memory of the parent, records of 262 bytes through a pipe',
  async run({ tmp, alternate, row, skip }) {
    if (!existsSync('/proc/self/status')) return skip('peak memory', 'no /proc here')
    const file = records(tmp, 300_000, 'ndjson')
    const { few, many } = await alternate({ few: () => peakMiB(file, 1), many: () => peakMiB(file, 10) })
    row({ versus: '3,000,000 records: limit 120 MiB', ours: many, peer: 120, unit: 'MiB', atMost: 1 })
    row({ versus: '3,000,000 records against 300,000', ours: many, peer: few, unit: 'MiB', atMost: 1.25 })
  },
}

/** The high-water mark only rises, so the last look before the end is the peak. */
function peakMiB(file, times) {
  return new Promise((resolve, reject) => {
    const [command, ...args] = [...poolrun, 'imap', program('identity.mjs'), '-j', '2']
    const cat = spawn('cat', Array(times).fill(file), { stdio: ['ignore', 'pipe', 'inherit'] })
    const child = spawn(command, args, { stdio: [cat.stdout, 'ignore', 'ignore'] })
    cat.stdout.destroy()
    let peak = 0
    const timer = setInterval(() => {
      peak = Math.max(peak, peakMiBOf(child.pid))
    }, SAMPLE_MS)
    child.on('error', reject)
    child.on('exit', (code) => {
      clearInterval(timer)
      if (code === 0) resolve(peak)
      else reject(new Error(`poolrun: exit ${code}`))
    })
  })
}
