// Efficiency with tasks of very different lengths, which nobody announces: whether both workers end together. Tasks
// last a time, not an amount of work, so that the ideal is exact on a busy machine, too.
import { printed } from '../measure.js'
import { node, program } from '../tools.js'

const TOTAL_MS = 20_000
const SHAPES = [
  {
    title: 'exponential, 1 ms to 2 s',
    draw: (u) => Math.min(2000, Math.max(1, Math.round(-200 * Math.log(1 - u)))),
  },
  { title: 'mixed, 0.2 to 20 ms', draw: (u) => 0.2 * 100 ** u },
]

export default {
  number: 7,
  title:
    'uneven tasks, about 20 s in all, on 2 workers, after start-up, against each to the first idle worker',
  async run({ alternate, row }) {
    for (const { title, draw } of SHAPES) {
      const tasks = drawTasks(mulberry32(20250101), draw)
      const command = [node, program('pool-map.mjs'), 'busyFor', JSON.stringify(tasks), '[1, 1]']
      const { ours } = await alternate({ ours: () => printed(command) })
      row({ versus: title, ours, peer: idealMs(tasks), atLeast: 0.95 })
    }
  },
}

function drawTasks(random, draw) {
  const tasks = []
  for (let left = TOTAL_MS; left > 0; left -= tasks.at(-1)) tasks.push(draw(random()))
  return tasks
}

/** Two workers that take the tasks in order, without a pause. Nobody does better without knowing how long they take. */
function idealMs(tasks) {
  const busyMs = [0, 0]
  for (const ms of tasks) busyMs[busyMs[0] <= busyMs[1] ? 0 : 1] += ms
  return Math.max(...busyMs)
}

function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
