// Skipping: the last items of ten million records.
import { wholeProcess } from '../measure.js'
import { node, poolrun, program, shell, shortRecords } from '../tools.js'

const COUNT = 10_000_000

export default {
  number: 1,
  title: `imap --only of the last ten of ${COUNT} short records, whole process`,
  async run({ tmp, alternate, row }) {
    const stdin = shortRecords(tmp, COUNT)
    const imap = [...poolrun, 'imap', program('identity.mjs'), '-j', '2']
    const { ours, tail, loop } = await alternate({
      ours: () => wholeProcess([...imap, '--only', `${COUNT - 10}-`], { stdin }),
      tail: () => wholeProcess(shell(`tail -n 10 | ${imap.join(' ')}`), { stdin }),
      loop: () => wholeProcess([node, program('loop.mjs')], { stdin }),
    })
    row({ versus: '1g. tail, and the same run (time)', ours, peer: tail, atMost: 6 })
    row({ versus: '1g. one loop over all of them (time)', ours, peer: loop, atMost: 1 })
  },
}
