// Batches against single items: what a call costs, with the event loop in between, is paid once per batch.
import { wholeProcess } from '../measure.js'
import { numbers, poolrun, program } from '../tools.js'

const COUNT = 1_000_000

export default {
  number: 18,
  title: `imap -q over ${COUNT} numbers with --batch 100, whole process`,
  async run({ tmp, alternate, row }) {
    const stdin = numbers(tmp, COUNT)
    const imap =
      (...options) =>
      () =>
        wholeProcess([...poolrun, 'imap', program('returns-to-loop.mjs'), '-j', '2', '-q', ...options], {
          stdin,
        })
    const { batches, singles } = await alternate({ batches: imap('--batch', '100'), singles: imap() })
    row({ versus: 'one item per call (times as fast)', ours: batches, peer: singles, atLeast: 3 })
  },
}
