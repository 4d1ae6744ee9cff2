// Milliseconds from the first to the last of so many attempts that begin with a rate (per second), each of 1 ms.
import { Pool } from 'poolrun'

const [rate, count] = process.argv.slice(2).map(Number)
const job = new URL('./begins.mjs', import.meta.url)
const pool = new Pool(job, { processes: 2, concurrency: 8 })
const begins = []
for await (const beganAt of pool.imapUnordered('default', Array(count).fill(0), { rate }))
  begins.push(beganAt)
console.log(Math.max(...begins) - Math.min(...begins))
await pool.terminate()
