// The ideal of row 6: the same work in two processes that were given their half beforehand. Prints milliseconds.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { spin } from './spin.mjs'

const [count, turns] = process.argv.slice(2).map(Number)
if (process.send === undefined) {
  const halves = [Math.ceil(count / 2), Math.floor(count / 2)]
  const workers = halves.map((half) => fork(fileURLToPath(import.meta.url), [String(half), String(turns)]))
  await Promise.all(workers.map(heard))
  const began = performance.now()
  for (const worker of workers) worker.send('go')
  await Promise.all(workers.map(heard))
  console.log(performance.now() - began)
  for (const worker of workers) worker.disconnect()
} else {
  for (let i = 0; i < 50; i++) spin(turns)
  process.on('message', () => {
    for (let i = 0; i < count; i++) spin(turns)
    process.send('done')
  })
  process.send('ready')
}

function heard(worker) {
  return new Promise((resolve) => worker.once('message', resolve))
}
