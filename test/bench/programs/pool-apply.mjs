// Times `apply` of a task of peers/task.cjs, after start-up: number of calls, most of them at a time (0: all), task. Prints
// milliseconds.
import { Pool } from 'poolrun'
import { argumentOf, isRight } from '../peers/calls.mjs'

const [count, atATime, task = 'increment'] = process.argv.slice(2)
const pool = new Pool(new URL('../peers/task.cjs', import.meta.url), { processes: 2 })
await run(count / 10)
const began = performance.now()
await run(Number(count))
console.log(performance.now() - began)
await pool.terminate()

async function run(length) {
  let next = 0
  const caller = async () => {
    while (next < length) {
      const n = next++
      if (!isRight(task, n, await pool.apply(task, [argumentOf(task, n)])))
        throw new Error(`wrong result for ${n}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(Number(atATime) || length, length) }, caller))
}
