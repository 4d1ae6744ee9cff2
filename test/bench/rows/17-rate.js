// How closely a rate is kept that leaves little time between two attempts.
import { printed } from '../measure.js'
import { node, program } from '../tools.js'

const RATE = 500
const SECONDS = 10

export default {
  number: 17,
  title: `imapUnordered with rate ${RATE}, ${SECONDS} s of attempts of 1 ms, two workers with concurrency 8`,
  async run({ alternate, row }) {
    const count = RATE * SECONDS
    const { ours } = await alternate({
      ours: () => printed([node, program('pool-rate.mjs'), String(RATE), String(count)]),
    })
    const peer = ((count - 1) * 1000) / RATE
    row({ versus: 'the rate itself (time)', ours, peer, atMost: 1.02 })
  },
}
