// The library over values: a million integers.
import { printed } from '../measure.js'
import { node, program, python } from '../tools.js'

const COUNT = 1_000_000

export default {
  number: 3,
  title: 'pool.map of a million integers, after start-up',
  async run({ alternate, row, skip }) {
    if (!python) return skip('Python Pool.map', 'no python3 here')
    const warmUp = JSON.stringify(Array.from({ length: COUNT / 100 }, (_, n) => n))
    const { ours, peer } = await alternate({
      ours: () => printed([node, program('pool-map.mjs'), 'increment', String(COUNT), warmUp]),
      peer: () => printed([python, program('map.py'), String(COUNT)]),
    })
    row({ versus: 'Python Pool.map', ours, peer, atLeast: 1.5 })
  },
}
