// What a journal costs, and how fast a run over finished items goes on.
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { knowsPeaks, peakMiB, wholeProcess } from '../measure.js'
import { poolrun, program } from '../tools.js'

const TRIVIAL = 1_000_000
const MILLISECONDS = 4_000

export default {
  number: 20,
  title: 'imap -q with --journal, whole process',
  async run({ tmp, alternate, row, skip }) {
    const journal = path.join(tmp, 'journal')
    const items = (count, item) => {
      const file = path.join(tmp, `${count}.ndjson`)
      writeFileSync(file, Array.from({ length: count }, (_, n) => `${item(n)}\n`).join(''))
      return file
    }
    const imap =
      (job, file, ...options) =>
      () => {
        if (!options.includes('--resume')) rmSync(journal, { force: true })
        return wholeProcess([...poolrun, 'imap', job, '-i', file, '-j', '2', '-q', ...options])
      }
    const slow = items(MILLISECONDS, (n) => 1 + n / 1e6)
    const ofSlow = await alternate({
      plain: imap(`${program('spin-ms.mjs')}#forMs`, slow),
      journal: imap(`${program('spin-ms.mjs')}#forMs`, slow, '--journal', journal),
    })
    row({
      versus: 'items of 1 ms, against the same without (time)',
      ours: ofSlow.journal,
      peer: ofSlow.plain,
      atMost: 1.1,
    })
    const trivial = items(TRIVIAL, (n) => n)
    const ofTrivial = await alternate({
      plain: imap(program('identity.mjs'), trivial),
      journal: imap(program('identity.mjs'), trivial, '--journal', journal),
    })
    row({
      versus: 'trivial items, against the same without (time)',
      ours: ofTrivial.journal,
      peer: ofTrivial.plain,
      atMost: 2,
    })
    const resume = [
      ...poolrun,
      'imap',
      program('identity.mjs'),
      '-i',
      trivial,
      '-j',
      '2',
      '-q',
      '--journal',
      journal,
      '--resume',
    ]
    const { resumed } = await alternate({ resumed: () => wholeProcess(resume) })
    row({ versus: 'a million items are done already: limit 3 s', ours: resumed, peer: 3000, atMost: 1 })
    if (!knowsPeaks) return skip('peak memory', 'no /proc here')
    const { peak } = await alternate({ peak: () => peakOf(resume) })
    row({ versus: 'peak memory of the parent: limit 150 MiB', ours: peak, peer: 150, unit: 'MiB', atMost: 1 })
  },
}

function peakOf([command, ...args]) {
  return peakMiB(spawn(command, args, { stdio: 'ignore' }))
}
