// The command line over many small records: bytes in, bytes out.
import { wholeProcess } from '../measure.js'
import { node, parallel, poolrun, program, python, records } from '../tools.js'

export default {
  number: 1,
  title: 'imap of an identity job over 300,000 NDJSON records of 262 bytes, whole process',
  async run({ tmp, alternate, row, skip }) {
    const stdin = records(tmp, 300_000, 'ndjson')
    const of = (command) => () => wholeProcess(command, { stdin })
    const loop = [node, program('loop.mjs')]
    const times = await alternate({
      ours: of([...poolrun, 'imap', program('identity.mjs'), '-j', '2']),
      prototype: of([node, program('prototype.mjs')]),
      loop: of(loop),
      ...(python && { python: of([python, program('imap.py')]) }),
      ...(parallel && { parallel: of([parallel, '--pipe', '-j2', '--block', '4M', loop.join(' ')]) }),
    })
    const { ours } = times
    if (python) row({ versus: 'Python Pool.imap(chunksize=250)', ours, peer: times.python, atLeast: 2.75 })
    else skip('Python Pool.imap', 'no python3 here')
    row({ versus: 'one Node process in a loop', ours, peer: times.loop, atLeast: 1 })
    if (parallel)
      row({ versus: 'GNU parallel --pipe with that loop', ours, peer: times.parallel, atLeast: 1 })
    else skip('GNU parallel --pipe', 'no GNU parallel here')
    row({ versus: 'bare prototype with two forks (time)', ours, peer: times.prototype, atMost: 1.25 })
  },
}
