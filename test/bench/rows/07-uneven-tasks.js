// Efficiency with tasks of very different lengths, which nobody announces: whether both workers end together. Tasks
// last a time, not an amount of work, so that the bound is exact on a busy machine, too.
import { printed } from '../measure.js'
import { node, program } from '../tools.js'

const TOTAL_MS = 20_000
const MEAN_MS = 200

export default {
  number: 7,
  title: 'uneven tasks, exponential, 1 ms to 2 s, about 20 s in all, on 2 workers, after start-up',
  async run({ alternate, row }) {
    const tasks = drawTasks(mulberry32(20250101))
    const total = tasks.reduce((sum, ms) => sum + ms, 0)
    const bound = Math.max(total / 2, ...tasks)
    const command = [node, program('pool-map.mjs'), 'busyFor', JSON.stringify(tasks), '[1, 1]']
    const { ours } = await alternate({ ours: () => printed(command) })
    row({ versus: 'lower bound max(total / 2, longest)', ours, peer: bound, atLeast: 0.95 })
  },
}

function drawTasks(random) {
  const tasks = []
  for (let left = TOTAL_MS; left > 0; ) {
    const ms = Math.min(2000, Math.max(1, Math.round(-MEAN_MS * Math.log(1 - random()))))
    tasks.push(ms)
    left -= ms
  }
  return tasks
}

function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
