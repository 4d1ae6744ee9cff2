// What it costs to allow many more workers than there are processors, if the items do not need them.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { wholeProcess } from '../measure.js'
import { poolrun, program } from '../tools.js'

const COUNT = 100_000

export default {
  number: 22,
  title: 'map of 100,000 trivial items, sixteen workers per processor, whole process',
  async run({ tmp, alternate, row }) {
    const input = path.join(tmp, 'items.ndjson')
    writeFileSync(input, Array.from({ length: COUNT }, (_, n) => `${n}\n`).join(''))
    const map = (processes) => () =>
      wholeProcess([...poolrun, 'map', program('identity.mjs'), '-i', input, '-q', '-j', String(processes)])
    const processors = availableParallelism()
    const times = await alternate({ many: map(16 * processors), one: map(processors) })
    row({ versus: 'one worker per processor (time)', ours: times.many, peer: times.one, atMost: 1.5 })
  },
}
