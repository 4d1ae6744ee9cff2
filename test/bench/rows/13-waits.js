// Items that wait, as for a network, many of them at a time in each of two workers. The ideal is the time that the waits
// take: no start, no messages. Measured for uneven items, where it depends on their order.
import { printed, wholeProcess } from '../measure.js'
import { node, numbers, poolrun, program } from '../tools.js'

const SHAPES = [
  { name: 'a', task: 'even', count: 20_000, concurrency: 200, waitMs: 50, atLeast: 0.85 },
  { name: 'b', task: 'even', count: 20_000, concurrency: 1000, waitMs: 50, atLeast: 0.5 },
  { name: 'c', task: 'uneven', count: 10_000, concurrency: 50, waitMs: 20, atLeast: 0.75 },
]

export default {
  number: 13,
  title: 'items that wait, against as many waits at a time in one process',
  async run({ tmp, alternate, row }) {
    for (const { name, task, count, concurrency, waitMs, atLeast } of SHAPES) {
      const input = numbers(tmp, count, 1)
      const cli = [...poolrun, 'imap', `${program('waits.mjs')}#${task}`, '-j', '2', '-q']
      const shape = [task, String(count), String(concurrency)]
      const times = await alternate({
        cli: () => wholeProcess([...cli, '--concurrency', String(concurrency)], { stdin: input }),
        imap: () => printed([node, program('pool-waits.mjs'), ...shape, 'imap']),
        apply: () => printed([node, program('pool-waits.mjs'), ...shape, 'apply']),
        ideal: () =>
          printed([node, program('promise-pool.mjs'), task, String(count), String(2 * concurrency)]),
      })
      // Less the time of two items: the first and the last are not everyone's.
      for (const [kind, title] of [
        ['cli', `13${name}. ${count} items of ${waitMs} ms, --concurrency ${concurrency}, through a pipe`],
        ['imap', `13d. the same, imapUnordered of a generator`],
        ['apply', `13d. the same, ${count} apply`],
      ])
        row({ versus: title, ours: times[kind] - 2 * waitMs, peer: times.ideal, atLeast })
    }
  },
}
