// Times trivial tasks in another pool, after start-up: pool, number of tasks, most of them in flight at once (0: all).
// Each in its own processes, with the options its documentation recommends for many small tasks. Prints milliseconds.
import { fileURLToPath } from 'node:url'

const task = fileURLToPath(new URL('./task.cjs', import.meta.url))

const pools = {
  async 'jest-worker'() {
    const { Worker } = await import('jest-worker')
    const worker = new Worker(task, { numWorkers: 2, exposedMethods: ['increment'] })
    return { call: (n) => worker.increment(n), end: () => worker.end() }
  },
  async tinypool() {
    const { default: Tinypool } = await import('tinypool')
    const size = { minThreads: 2, maxThreads: 2 }
    const pool = new Tinypool({ filename: task, runtime: 'child_process', ...size })
    return { call: (n) => pool.run(n, { name: 'increment' }), end: () => pool.destroy() }
  },
  async workerpool() {
    const { default: workerpool } = await import('workerpool')
    const entry = fileURLToPath(new URL('./workerpool-worker.cjs', import.meta.url))
    const pool = workerpool.pool(entry, { workerType: 'process', minWorkers: 2, maxWorkers: 2 })
    return { call: (n) => pool.exec('increment', [n]), end: () => pool.terminate() }
  },
}

const [name, ...numbers] = process.argv.slice(2)
const [count, inFlight] = numbers.map(Number)
const { call, end } = await pools[name]()
await run(count / 10)
const began = performance.now()
await run(count)
console.log(performance.now() - began)
await end()

async function run(length) {
  let next = 0
  const lane = async () => {
    while (next < length) {
      const n = next++
      if ((await call(n)) !== n + 1) throw new Error(`wrong result for ${n}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight || length, length) }, lane))
}
