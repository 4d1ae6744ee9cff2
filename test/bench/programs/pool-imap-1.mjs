// Times `pool.imap` with one item a message, after start-up. Prints milliseconds.
import { Pool } from '../../../dist/index.js'

const count = Number(process.argv[2])
const pool = new Pool(new URL('./trivial.mjs', import.meta.url), { processes: 2 })
await run(count / 10)
const began = performance.now()
await run(count)
console.log(performance.now() - began)
pool.close()
await pool.join()

async function run(length) {
  let seen = 0
  for await (const _ of pool.imap('increment', Array(length).keys(), { chunkSize: 1 })) seen++
  if (seen !== length) throw new Error(`${seen} results of ${length} items`)
}
