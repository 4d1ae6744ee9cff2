// Commands as items. The bare program starts the same commands from two processes and does nothing else.
import { wholeProcess } from '../measure.js'
import { node, numbers, parallel, poolrun, program } from '../tools.js'

const COMMANDS = 400
const LINES = 100_000
const SLEEPS = 1000

export default {
  number: 21,
  title: 'commands as items (--exec), whole process',
  async run({ tmp, runs, alternate, row, skip }) {
    const few = numbers(tmp, COMMANDS, 1)
    const many = numbers(tmp, LINES, 1)
    const exec =
      (input, ...options) =>
      () =>
        wholeProcess([...poolrun, 'imap', '-q', '-i', input, ...options])
    const times = await alternate({
      ours: exec(few, '-j', '2', '--exec', 'echo {}'),
      bare: () => wholeProcess([node, program('two-spawns.mjs'), String(COMMANDS)]),
      ...(parallel && { parallel: () => wholeProcess([parallel, '-j2', '-k', 'echo {}'], { stdin: few }) }),
      shell: exec(few, '-j', '2', '--exec', '/bin/true {}'),
      noShell: exec(few, '-j', '2', '--shell', 'none', '--exec', '/bin/true {}'),
      batches: exec(many, '-j', '2', '--batch', '100', '--exec', 'true {}'),
      xargs: () => wholeProcess(['xargs', '-n', '100', '-P', '2', 'true'], { stdin: many }),
    })
    row({
      versus: `${COMMANDS} × echo, a bare program (time)`,
      ours: times.ours,
      peer: times.bare,
      atMost: 1.4,
    })
    if (parallel)
      row({
        versus: `${COMMANDS} × echo, GNU parallel -k`,
        ours: times.ours,
        peer: times.parallel,
        atLeast: 2,
      })
    else skip('GNU parallel -k', 'no GNU parallel here')
    row({
      versus: `${COMMANDS} × true, --shell none, /bin/sh (time)`,
      ours: times.noShell,
      peer: times.shell,
      atMost: 1,
    })
    row({
      versus: `${LINES} lines to true, --batch 100, xargs -n 100`,
      ours: times.batches,
      peer: times.xargs,
      atLeast: 0.5,
    })
    const { sleeps } = await alternate(
      { sleeps: exec(numbers(tmp, SLEEPS, 1), '-j', '200', '--exec', 'sleep 1 # {}') },
      Math.min(runs, 3),
    )
    row({ versus: `${SLEEPS} × sleep 1, -j 200; 7 s (time)`, ours: sleeps, peer: 7000, atMost: 1 })
  },
}
