// The limit for row 5: two bare forks that share three items, and the least that can be done with them.
import { fork } from 'node:child_process'

const entry = new URL('./two-forks-worker.mjs', import.meta.url)
const results = []
let open = 3
const workers = [0, 1].map(() => fork(entry, { serialization: 'advanced' }))
for (const n of [0, 1, 2]) workers[n % 2].send([n, { n }])
for (const worker of workers)
  worker.on('message', ([index, value]) => {
    results[index] = value
    if (--open > 0) return
    process.stdout.write(`${results.join('\n')}\n`)
    for (const each of workers) each.disconnect()
  })
