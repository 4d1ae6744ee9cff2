// Times one `pool.map` after start-up: task, then the items as JSON or a number of integers. Prints milliseconds.
import { Pool } from '../../../dist/index.js'

const [task, given, warmUp] = process.argv.slice(2).map((text, at) => (at === 0 ? text : JSON.parse(text)))
const items = typeof given === 'number' ? Array.from({ length: given }, (_, n) => n) : given
const pool = new Pool(new URL('./trivial.mjs', import.meta.url), { processes: 2 })
await pool.map(task, warmUp)
const began = performance.now()
const results = await pool.map(task, items)
console.log(performance.now() - began)
if (results.length !== items.length) throw new Error(`${results.length} results of ${items.length} items`)
pool.close()
await pool.join()
