// Trivial tasks, one a message, against the pools of the field, each with processes and at its better setting.
import { printed } from '../measure.js'
import { node, peers, program } from '../tools.js'

const COUNT = 20_000
/** Some pools slow down when everything is queued at once, others when little is. */
const IN_FLIGHT = [64, 0]

export default {
  number: 4,
  title: `pool.imap of ${COUNT} trivial tasks, chunkSize 1, after start-up`,
  async run({ alternate, row, skip }) {
    const installed = peers()
    if (installed === undefined) return skip('the other pools', 'npm ci in test/bench/peers failed')
    const contestants = { ours: () => printed([node, program('pool-imap-1.mjs'), String(COUNT)]) }
    for (const name of installed.names)
      for (const inFlight of IN_FLIGHT)
        contestants[`${name} ${inFlight}`] = () =>
          printed([node, installed.program, name, String(COUNT), String(inFlight)])
    const times = await alternate(contestants)
    const best = (name) => Math.min(...IN_FLIGHT.map((inFlight) => times[`${name} ${inFlight}`]))
    for (const name of installed.names)
      row({ versus: `${name}, processes`, ours: times.ours, peer: best(name), atLeast: 2.5 })
  },
}
