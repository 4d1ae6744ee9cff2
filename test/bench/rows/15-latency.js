// How long a result takes through a pipe, from the moment its item is written.
import { printed } from '../measure.js'
import { node, poolrun, program } from '../tools.js'

const COUNT = 2000

export default {
  number: 15,
  title: `${COUNT} items, one per millisecond through a pipe, from written to received`,
  async run({ alternate, row }) {
    const command = [...poolrun, 'imap', program('identity.mjs'), '-j', '2', '-q']
    for (const { percent, atMostMs } of [
      { percent: 50, atMostMs: 1 },
      { percent: 95, atMostMs: 4 },
    ]) {
      const { ours } = await alternate({
        ours: () => printed([node, program('latency.mjs'), String(percent), String(COUNT), ...command]),
      })
      row({ versus: `p${percent}; ${atMostMs} ms`, ours, peer: atMostMs, atMost: 1 })
    }
  },
}
