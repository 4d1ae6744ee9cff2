// A task that yields its one result, against the same task as a plain function.
import { wholeProcess } from '../measure.js'
import { numbers, poolrun, program } from '../tools.js'

const COUNT = 1_000_000

export default {
  number: 16,
  title: `imap -q of a task that yields its item, over ${COUNT} numbers, whole process`,
  async run({ tmp, alternate, row }) {
    const stdin = numbers(tmp, COUNT)
    const imap = (job) => () => wholeProcess([...poolrun, 'imap', program(job), '-j', '2', '-q'], { stdin })
    const { plain, yields } = await alternate({ plain: imap('identity.mjs'), yields: imap('yields.mjs') })
    row({ versus: 'a plain function (time)', ours: yields, peer: plain, atMost: 1.5 })
  },
}
