// The same records as one JSON array, whose elements have to be found first.
import { wholeProcess } from '../measure.js'
import { node, poolrun, program, records } from '../tools.js'

export default {
  number: 2,
  title: 'the same from one JSON array, whole process',
  async run({ tmp, alternate, row }) {
    const array = records(tmp, 300_000, 'json')
    const ndjson = records(tmp, 300_000, 'ndjson')
    const { ours, peer } = await alternate({
      ours: () => wholeProcess([...poolrun, 'imap', program('identity.mjs'), '-j', '2'], { stdin: array }),
      peer: () => wholeProcess([node, program('prototype.mjs')], { stdin: ndjson }),
    })
    row({ versus: 'bare prototype on NDJSON (time)', ours, peer, atMost: 1.4 })
  },
}
