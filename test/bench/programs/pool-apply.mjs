// Times `apply` of a trivial task, after start-up: number of calls, most of them at a time (0: all). Prints milliseconds.
import { Pool } from 'poolrun'

const [count, atATime] = process.argv.slice(2).map(Number)
await using pool = new Pool(new URL('../peers/task.cjs', import.meta.url), { processes: 2 })
await run(count / 10)
const began = performance.now()
await run(count)
console.log(performance.now() - began)

async function run(length) {
  let next = 0
  const caller = async () => {
    while (next < length) {
      const n = next++
      if ((await pool.apply('increment', [n])) !== n + 1) throw new Error(`wrong result for ${n}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime || length, length) }, caller))
}
