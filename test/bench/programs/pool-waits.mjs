// Times tasks that wait, after start-up: task, count, concurrency of each of two workers, `imap` or `apply`. Prints milliseconds.
import { Pool } from 'poolrun'

const [task, count, concurrency, kind] = process.argv.slice(2)
const job = new URL('./waits.mjs', import.meta.url)
const pool = new Pool(job, { processes: 2, concurrency: Number(concurrency) })
await pool.map('even', [1, 2])
const began = performance.now()
let seen = 0
if (kind === 'imap') for await (const _ of pool.imapUnordered(task, numbers())) seen++
else await Promise.all(Array.from(numbers(), (n) => pool.apply(task, [n]).then(() => seen++)))
console.log(performance.now() - began)
if (seen !== Number(count)) throw new Error(`${seen} results`)
await pool.terminate()

function* numbers() {
  for (let n = 1; n <= Number(count); n++) yield n
}
