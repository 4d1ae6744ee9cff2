// Rows of CSV against lines of JSON: the parent has to look at every result.
import { wholeProcess } from '../measure.js'
import { numbers, poolrun, program } from '../tools.js'

const COUNT = 1_000_000

export default {
  number: 19,
  title: `imap -q --format csv of rows of three cells, over ${COUNT} numbers, whole process`,
  async run({ tmp, alternate, row }) {
    const stdin = numbers(tmp, COUNT)
    const imap = (format) => () =>
      wholeProcess([...poolrun, 'imap', program('row.mjs'), '-j', '2', '-q', '--format', format], { stdin })
    const { csv, ndjson } = await alternate({ csv: imap('csv'), ndjson: imap('ndjson') })
    row({ versus: 'NDJSON (time)', ours: csv, peer: ndjson, atMost: 1.5 })
  },
}
