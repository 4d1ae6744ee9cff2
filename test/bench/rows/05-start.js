// What a run costs that has next to nothing to do.
import { mkdtempSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { wholeProcess } from '../measure.js'
import { node, poolrun, program } from '../tools.js'

export default {
  number: 5,
  title: 'map of a three-item TypeScript job, whole process',
  async run({ tmp, runs, alternate, row }) {
    const input = path.join(tmp, 'three.ndjson')
    writeFileSync(input, '{"n":0}\n{"n":1}\n{"n":2}\n')
    const command = [...poolrun, 'map', program('three.ts'), '-i', input, '-j', '2']
    const cached = (folder) => wholeProcess(command, { env: { POOLRUN_CACHE_DIR: folder } })
    const folder = () => mkdtempSync(path.join(tmp, 'cache-'))
    const warm = folder()
    await cached(warm)
    const times = await alternate(
      {
        warm: () => cached(warm),
        cold: () => cached(folder()),
        forks: () => wholeProcess([node, program('two-forks.mjs')]),
      },
      3 * runs,
    )
    const peer = times.forks
    row({ versus: 'two bare forks of a plain .mjs, warm cache (time)', ours: times.warm, peer, atMost: 1.4 })
    row({ versus: 'two bare forks of a plain .mjs, cold cache (time)', ours: times.cold, peer, atMost: 2.2 })
  },
}
