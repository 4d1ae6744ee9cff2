// What does not run anything should cost what starting Node costs.
import { wholeProcess } from '../measure.js'
import { node, poolrun } from '../tools.js'

export default {
  number: 11,
  title: 'help, version and a usage error, whole process',
  async run({ runs, alternate, row }) {
    const times = await alternate(
      {
        node: () => wholeProcess([node, '-e', '0']),
        help: () => wholeProcess([...poolrun, '--help']),
        version: () => wholeProcess([...poolrun, '--version']),
        usage: () => wholeProcess([...poolrun, 'map', '--no-such-option'], { exitCode: 2 }),
      },
      5 * runs,
    )
    for (const { name, atMost } of [
      { name: 'help', atMost: 1.15 },
      { name: 'version', atMost: 1.15 },
      { name: 'usage', atMost: 1.3 },
    ])
      row({ versus: `${name} against node -e 0 (time)`, ours: times[name], peer: times.node, atMost })
  },
}
