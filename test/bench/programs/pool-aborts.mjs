// Times 10,000 calls of a task that never ends, all aborted after 100 ms by one signal. `poolrun` or a pool that is installed
// in peers. Prints milliseconds.
import { createRequire } from 'node:module'

const COUNT = 10_000
const job = new URL('./waits.mjs', import.meta.url)
const { call, end } = await pools()[process.argv[2]]()
const controller = new AbortController()
const began = performance.now()
const calls = Array.from({ length: COUNT }, () => call(controller.signal).catch(() => 'aborted'))
setTimeout(() => controller.abort(), 100)
const results = await Promise.all(calls)
console.log(performance.now() - began)
if (results.some((result) => result !== 'aborted')) throw new Error('a call has ended')
await end()

function pools() {
  return {
    async poolrun() {
      const { Pool } = await import('poolrun')
      const pool = new Pool(job, { processes: 2 })
      await pool.apply('even', [1])
      return { call: (signal) => pool.apply('endless', [], { signal }), end: () => pool.terminate() }
    },
    async piscina() {
      const { Piscina } = createRequire(new URL('../peers/pool.mjs', import.meta.url))('piscina')
      const pool = new Piscina({ filename: job.href, minThreads: 2, maxThreads: 2 })
      await pool.run(1, { name: 'even' })
      return { call: (signal) => pool.run(1, { name: 'endless', signal }), end: () => pool.destroy() }
    },
  }
}
