// When everything fails.
import { wholeProcess } from '../measure.js'
import { numbers, poolrun, program, python } from '../tools.js'

const COUNT = 40_000

export default {
  number: 8,
  title: `collect -q in which all of ${COUNT} items throw, whole process`,
  async run({ tmp, alternate, row, skip }) {
    if (!python) return skip('Python imap, try around each next', 'no python3 here')
    const stdin = numbers(tmp, COUNT)
    const collect = (job) => () =>
      wholeProcess([...poolrun, 'collect', program(job), '-q', '-j', '2'], { stdin, exitCode: 3 })
    const { same, own, peer } = await alternate({
      same: collect('throws-the-same.mjs'),
      own: collect('throws.mjs'),
      peer: () => wholeProcess([python, program('imap_throws.py'), String(COUNT)]),
    })
    // Failures that look the same are printed as one; those that do not are printed each, where Python prints none.
    row({ versus: 'Python imap, try around each next', ours: same, peer, atLeast: 2 })
    row({ versus: 'the same, each item with a message of its own', ours: own, peer })
  },
}
