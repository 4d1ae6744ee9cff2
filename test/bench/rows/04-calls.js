// Calls of `apply`, as a server makes them: one item each, trivial or with a megabyte.
import { printed } from '../measure.js'
import { node, peers, program } from '../tools.js'

const PEER = 'jest-worker'
/** Arguments of the programs: number of calls, most of them at a time (0: all), task. */
const SHAPES = [
  { title: '4b. one call after the other', args: [10_000, 1], atLeast: 1 },
  { title: '4c. 32 callers', args: [40_000, 32], atLeast: 2 },
  { title: '4d. 40,000 calls together', args: [40_000, 0], atLeast: 2 },
  { title: '4f. a Buffer of 1 MB as argument, 8 callers', args: [400, 8, 'size'], atLeast: 1 },
  { title: '4f. a Buffer of 1 MB as result, 8 callers', args: [400, 8, 'make'], atLeast: 1 },
]

export default {
  number: 4,
  title: `pool.apply, after start-up, against ${PEER} with processes`,
  async run({ alternate, row, skip }) {
    const installed = peers()
    if (installed === undefined) return skip(PEER, 'npm ci in test/bench/peers failed')
    for (const { title, args, atLeast } of SHAPES) {
      const { ours, peer } = await alternate({
        ours: () => printed([node, program('pool-apply.mjs'), ...args.map(String)]),
        peer: () => printed([node, installed.program, PEER, ...args.map(String)]),
      })
      row({ versus: title, ours, peer, atLeast })
    }
  },
}
