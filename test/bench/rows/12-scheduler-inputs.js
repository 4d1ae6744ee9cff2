// The scheduler alone: how many inputs it handles per second, and whether an input costs the same however many items there are.
import { drive, loadScheduler, WORKERS } from '../scheduler.js'

const MANY = 10_000_000
const FEW = 100_000
const LIMIT_NS = 2_000

export default {
  number: 12,
  title: `${WORKERS} workers over a fake transport: cost of an input of the scheduler`,
  async run({ tmp, alternate, row }) {
    const Scheduler = await loadScheduler(tmp)
    const cost = (items, chunkSize, times) => () => {
      const began = performance.now()
      let inputs = 0
      for (let i = 0; i < times; i++) inputs += drive(Scheduler, items, chunkSize)
      return ((performance.now() - began) * 1e6) / inputs
    }
    cost(FEW, 10, 5)()
    const { many, few, single } = await alternate({
      many: cost(MANY, 10, 1),
      few: cost(FEW, 10, 50),
      single: cost(FEW, 1, 5),
    })
    row({ versus: `${MANY} items: limit ${LIMIT_NS} ns`, ours: many, peer: LIMIT_NS, unit: 'ns', atMost: 1 })
    row({
      versus: `chunks of one: limit ${LIMIT_NS} ns`,
      ours: single,
      peer: LIMIT_NS,
      unit: 'ns',
      atMost: 1,
    })
    row({ versus: `${MANY} items against ${FEW}`, ours: many, peer: few, unit: 'ns', atMost: 1.2 })
  },
}
