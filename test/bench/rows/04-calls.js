// Calls as a server makes them: one item each, trivial or with a megabyte; many small maps; a call beside a batch; calls
// that are aborted.
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
    await runMaps({ alternate, row })
    await runBeside({ alternate, row })
    await runAborts({ alternate, row })
  },
}

async function runMaps({ alternate, row }) {
  const calls = 2000
  const { ours } = await alternate({ ours: () => printed([node, program('pool-maps.mjs'), String(calls)]) })
  const versus = '4e. 2,000 maps of 10 items together; 150,000 items/s'
  row({ versus, ours, peer: (calls * 10) / 150, atLeast: 1 })
}

async function runBeside({ alternate, row }) {
  for (const { percent, atMostMs } of [
    { percent: 50, atMostMs: 5 },
    { percent: 99, atMostMs: 12 },
  ]) {
    const { ours } = await alternate({
      ours: () => printed([node, program('pool-beside.mjs'), String(percent)]),
    })
    row({
      versus: `4g. apply of 1 ms beside a map, p${percent}; ${atMostMs} ms`,
      ours,
      peer: atMostMs,
      atMost: 1,
    })
  }
}

async function runAborts({ alternate, row }) {
  const { ours, peer } = await alternate({
    ours: () => printed([node, program('pool-aborts.mjs'), 'poolrun']),
    peer: () => printed([node, program('pool-aborts.mjs'), 'piscina']),
  })
  row({ versus: '4h. 10,000 calls aborted after 100 ms; piscina', ours, peer, atLeast: 0.6 })
}
