// The parent of both prototypes: two forks, and what they answer, written in the order in which it was asked for. No error
// handling, no settling, no memory bound beyond three messages a worker.
import { fork } from 'node:child_process'
import { writeAll } from './write-all.mjs'

const AHEAD = 3

/** `next` gives what follows the number in a message, and `undefined` at the end. */
export function runInOrder(entry, args, next) {
  const workers = [1, 2].map(() => fork(entry, args, { serialization: 'advanced' }))
  const done = new Map()
  let sent = 0
  let written = 0
  let ended = false

  for (const worker of workers) {
    worker.on('message', ([id, bytes]) => {
      feed(worker)
      done.set(id, bytes)
      for (let found = done.get(written); found !== undefined; found = done.get(written)) {
        writeAll(found)
        done.delete(written++)
      }
      if (ended && written === sent) for (const each of workers) each.disconnect()
    })
    for (let i = 0; i < AHEAD; i++) feed(worker)
  }

  function feed(worker) {
    const content = ended ? undefined : next()
    if (content === undefined) ended = true
    else worker.send([sent++, ...content])
  }
}
