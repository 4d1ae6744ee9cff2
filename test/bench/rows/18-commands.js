// Commands as items. The bare program starts the same commands from two processes and does nothing else.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { wholeProcess } from '../measure.js'
import { node, poolrun, program } from '../tools.js'

const COMMANDS = 400

export default {
  number: 18,
  title: 'commands as items (--exec), against a bare program that starts them',
  async run({ tmp, alternate, row }) {
    const input = path.join(tmp, 'commands.txt')
    writeFileSync(input, Array.from({ length: COMMANDS }, (_, n) => `${n + 1}\n`).join(''))
    const cli = [...poolrun, 'imap', '-q', '-j', '2', '-i', input, '--exec', 'echo {}']
    const times = await alternate({
      cli: () => wholeProcess(cli),
      bare: () => wholeProcess([node, program('two-spawns.mjs'), String(COMMANDS)]),
    })
    row({
      versus: `18. ${COMMANDS} commands, -j 2`,
      ours: times.cli,
      peer: times.bare,
      atLeast: 1 / 1.4,
    })
  },
}
