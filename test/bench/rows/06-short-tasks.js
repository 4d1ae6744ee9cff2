// Efficiency with short tasks. They are an amount of work, not a stretch of time: what the parent takes from the
// workers' cores counts, and the ideal, measured alongside, suffers from other load just as we do.
import { printed } from '../measure.js'
import { spin, turnsPerMs } from '../programs/spin.mjs'
import { node, program } from '../tools.js'

const COUNT = 1500
const TASK_MS = 2

export default {
  number: 6,
  title: `${COUNT} tasks of ${TASK_MS} ms CPU on 2 workers, after start-up`,
  async run({ alternate, row }) {
    spin(10_000_000)
    const turns = TASK_MS * turnsPerMs()
    const items = (count) => JSON.stringify(Array(count).fill(turns))
    const { ours, peer } = await alternate({
      ours: () => printed([node, program('pool-map.mjs'), 'turns', items(COUNT), items(100)]),
      peer: () => printed([node, program('ideal.mjs'), String(COUNT), String(turns)]),
    })
    row({ versus: 'the same work in two processes, split beforehand', ours, peer, atLeast: 0.95 })
  },
}
