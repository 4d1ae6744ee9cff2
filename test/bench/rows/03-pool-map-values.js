// The library over values: objects of one shape, and short strings.
import { printed } from '../measure.js'
import { node, program, python } from '../tools.js'

const SHAPES = [
  { name: '3b', kind: 'objects', count: 200_000 },
  { name: '3c', kind: 'strings', count: 300_000 },
]

export default {
  number: 3,
  title: 'pool.map of objects with five fields, and of short strings, after start-up',
  async run({ alternate, row, skip }) {
    if (!python) return skip('Python Pool.map', 'no python3 here')
    for (const { name, kind, count } of SHAPES) {
      const { ours, peer } = await alternate({
        ours: () => printed([node, program('pool-map-values.mjs'), kind, String(count)]),
        peer: () => printed([python, program('map_values.py'), kind, String(count)]),
      })
      row({ versus: `${name}. ${count} ${kind}, Python Pool.map`, ours, peer, atLeast: 1.5 })
    }
  },
}
