// What an option costs that needs something of every item, where items cost next to nothing. Against poolrun without it.
import { wholeProcess } from '../measure.js'
import { numbers, poolrun, program } from '../tools.js'

const COUNT = 1_000_000

export default {
  number: 14,
  title: `imap -q of an identity job over ${COUNT} numbers, whole process`,
  async run({ tmp, alternate, row }) {
    const stdin = numbers(tmp, COUNT)
    const imap =
      (...options) =>
      () =>
        wholeProcess([...poolrun, 'imap', program('identity.mjs'), '-j', '2', '-q', ...options], { stdin })
    const times = await alternate({
      plain: imap(),
      timeout: imap('--timeout', '5s'),
      envelope: imap('--envelope'),
    })
    const peer = times.plain
    row({ versus: '--timeout 5s, against the same without (time)', ours: times.timeout, peer, atMost: 1.3 })
    row({ versus: '--envelope, against the same without (time)', ours: times.envelope, peer, atMost: 1.4 })
  },
}
