// The same records, 300 MB of them: from a file, through a pipe, compressed. Against one process in a loop, which has no
// messages to send, and against a prototype whose workers read the file themselves.
import { execFileSync } from 'node:child_process'
import { wholeProcess } from '../measure.js'
import { jq, node, poolrun, program, records, shell } from '../tools.js'

const COUNT = 1_200_000

export default {
  number: 1,
  title: `imap of an identity job over ${COUNT} records (300 MB), whole process`,
  async run({ tmp, alternate, row, skip }) {
    const stdin = records(tmp, COUNT, 'ndjson')
    const array = records(tmp, COUNT, 'json')
    execFileSync('gzip', ['-kf1', stdin])
    const imap = [...poolrun, 'imap', program('identity.mjs'), '-j', '2']
    const loop = [node, program('loop.mjs')]
    const times = await alternate({
      file: () => wholeProcess(imap, { stdin }),
      loop: () => wholeProcess(loop, { stdin }),
      slices: () => wholeProcess([node, program('slices.mjs'), stdin]),
      pipe: () => wholeProcess(shell(`cat ${stdin} | ${imap.join(' ')}`)),
      pipedLoop: () => wholeProcess(shell(`cat ${stdin} | ${loop.join(' ')}`)),
      gzip: () => wholeProcess([...imap, '--input', `${stdin}.gz`]),
      gzipLoop: () => wholeProcess(shell(`gzip -dc ${stdin}.gz | ${loop.join(' ')}`)),
      array: () => wholeProcess(imap, { stdin: array }),
      arrayLoop: () => wholeProcess([node, program('array-loop.mjs')], { stdin: array }),
      ...(jq && { jq: () => wholeProcess([jq, '-c', '.'], { stdin }) }),
    })
    const { file: ours } = times
    row({ versus: '1b. one Node process in a loop', ours, peer: times.loop, atLeast: 1.6 })
    row({ versus: '1b. workers that read slices (time)', ours, peer: times.slices, atMost: 1.1 })
    if (jq) row({ versus: '1b. jq -c .', ours, peer: times.jq })
    else skip('jq -c .', 'no jq here')
    row({
      versus: '1c. through a pipe, against the loop',
      ours: times.pipe,
      peer: times.pipedLoop,
      atLeast: 1.25,
    })
    row({
      versus: '1c. from .gz, against gzip -dc and the loop',
      ours: times.gzip,
      peer: times.gzipLoop,
      atLeast: 1.1,
    })
    row({
      versus: '2b. one JSON array, against JSON.parse',
      ours: times.array,
      peer: times.arrayLoop,
      atLeast: 1.6,
    })
  },
}
