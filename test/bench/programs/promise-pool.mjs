// The ideal for tasks that wait: as many of them at a time as given, in one process. Task, count, width. Prints milliseconds.
import { even, uneven } from './waits.mjs'

const [task, count, width] = process.argv.slice(2)
const run = task === 'even' ? even : uneven
let next = 1
const lane = async () => {
  while (next <= Number(count)) await run(next++)
}
const began = performance.now()
await Promise.all(Array.from({ length: Number(width) }, lane))
console.log(performance.now() - began)
