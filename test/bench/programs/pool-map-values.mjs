// Times one `pool.map` of objects or strings after start-up. Prints milliseconds.
import { Pool } from '../../../dist/index.js'

const [kind, count] = [process.argv[2], Number(process.argv[3])]
const make =
  kind === 'strings'
    ? (n) => `item ${n}`
    : (n) => ({ id: n, name: `item ${n}`, score: n % 1000, active: n % 2 === 0, ratio: n / 7 })
const items = Array.from({ length: count }, (_, n) => make(n))
const pool = new Pool(new URL('./identity.mjs', import.meta.url), { processes: 2 })
await pool.map('default', items.slice(0, count / 100))
const began = performance.now()
const results = await pool.map('default', items)
console.log(performance.now() - began)
if (results.length !== count) throw new Error(`${results.length} results of ${count} items`)
pool.close()
await pool.join()
