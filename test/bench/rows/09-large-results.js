// Peak memory of the largest process, parent or worker, behind a slow reader. Linux alone tells it.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { node, peakMiBOf, poolrun, program } from '../tools.js'

const COUNT = 400
const BYTES_PER_SECOND = 40_000_000
const SAMPLE_MS = 50

export default {
  number: 9,
  title: `peak memory of the largest process, -j 16, ${COUNT} results of 1 MB, a reader of 40 MB/s`,
  async run({ alternate, row, skip }) {
    if (!existsSync('/proc/self/task')) return skip('peak memory', 'no /proc here')
    const { ours } = await alternate({ ours: largestMiB })
    row({ versus: '9b. limit 250 MiB', ours, peer: 250, unit: 'MiB', atMost: 1 })
  },
}

function largestMiB() {
  return new Promise((resolve, reject) => {
    const [command, ...args] = [...poolrun, 'imap', program('large-results.mjs'), '-j', '16', '-q']
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const reader = spawn(node, [program('slow-reader.mjs'), String(BYTES_PER_SECOND)], {
      stdio: [child.stdout, 'ignore', 'inherit'],
    })
    child.stdout.destroy()
    child.stdin.end(Array.from({ length: COUNT }, (_, n) => `${n}\n`).join(''))
    let peak = 0
    const timer = setInterval(() => {
      for (const pid of withChildren(child.pid)) peak = Math.max(peak, peakOf(pid))
    }, SAMPLE_MS)
    child.on('error', reject)
    child.on('exit', (code) => {
      clearInterval(timer)
      if (code !== 0) reject(new Error(`poolrun: exit ${code}`))
    })
    reader.on('exit', () => resolve(peak))
  })
}

function withChildren(pid) {
  try {
    return [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')]
  } catch {
    return []
  }
}

/** Of a process that has ended: 0. */
function peakOf(pid) {
  try {
    return peakMiBOf(pid)
  } catch {
    return 0
  }
}
