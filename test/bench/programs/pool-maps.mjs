// Times so many calls of `map` together, of ten items each, after start-up. Prints milliseconds.
import { Pool } from 'poolrun'

const calls = Number(process.argv[2])
const pool = new Pool(new URL('../peers/task.cjs', import.meta.url), { processes: 2 })
const items = Array.from({ length: 10 }, (_, n) => n)
const run = () => Promise.all(Array.from({ length: calls }, () => pool.map('increment', items)))
await run()
const began = performance.now()
const results = await run()
console.log(performance.now() - began)
if (results.some((result) => result.at(-1) !== 10)) throw new Error('wrong result')
await pool.terminate()
