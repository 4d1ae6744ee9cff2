// Jobs with much output: results of 1 MB, and lines that are printed for every item.
import path from 'node:path'
import { wholeProcess } from '../measure.js'
import { node, numbers, poolrun, program, python, shell } from '../tools.js'

const LARGE = 1500
const PRINTING = 100_000

export default {
  number: 1,
  title: 'large results, and jobs that print, whole process',
  async run({ tmp, alternate, row, skip }) {
    const few = numbers(tmp, LARGE)
    const many = numbers(tmp, PRINTING)
    const stderr = path.join(tmp, 'stderr')
    const imap = (job, ...options) => [...poolrun, 'imap', program(job), '-j', '2', ...options]
    const toFile = (command) => shell(`exec ${command.join(' ')} 2> ${stderr}`)
    const times = await alternate({
      large: () => wholeProcess(imap('large-results.mjs'), { stdin: few }),
      largeLoop: () => wholeProcess([node, program('large-loop.mjs')], { stdin: few }),
      prints: () => wholeProcess(toFile(imap('prints.mjs')), { stdin: many }),
      dropped: () => wholeProcess(imap('prints.mjs', '--job-output', 'none'), { stdin: many }),
      silent: () => wholeProcess(imap('identity.mjs'), { stdin: many }),
      ...(python && {
        python: () => wholeProcess(toFile([python, program('imap_prints.py'), String(PRINTING)])),
      }),
    })
    row({
      versus: '1f. 1,500 results of 1 MB, against one loop',
      ours: times.large,
      peer: times.largeLoop,
      atLeast: 1.3,
    })
    if (python)
      row({
        versus: '1h. three lines per item, against Python Pool.imap',
        ours: times.prints,
        peer: times.python,
        atLeast: 1,
      })
    else skip('Python Pool.imap', 'no python3 here')
    row({
      versus: '1i. --job-output none, against no output (time)',
      ours: times.dropped,
      peer: times.silent,
      atMost: 1.5,
    })
  },
}
