// The scheduler alone: whether an item costs the same however many there are.
import { drive, loadScheduler, WORKERS } from '../scheduler.js'

const MANY = 10_000_000
const FEW = 10_000
/** Fixed: adaptive chunks are small at the beginning, and a short run is all beginning. */
const CHUNK_SIZE = 10

export default {
  number: 10,
  title: `${WORKERS} workers over a fake transport, chunks of ${CHUNK_SIZE}: cost of an item`,
  async run({ tmp, alternate, row }) {
    const Scheduler = await loadScheduler(tmp)
    const cost = (items, times) => () => {
      const began = performance.now()
      for (let i = 0; i < times; i++) drive(Scheduler, items, CHUNK_SIZE)
      return ((performance.now() - began) * 1e6) / (items * times)
    }
    cost(FEW, 50)()
    const { ours, peer } = await alternate({ ours: cost(MANY, 1), peer: cost(FEW, 50) })
    row({ versus: `${MANY} items against ${FEW}`, ours, peer, unit: 'ns', atMost: 1.2 })
  },
}
