// Times tasks in another pool, after start-up: pool, number of tasks, most of them in flight at once (0: all), task of
// task.cjs (of jest-worker only, unless it is the trivial one). Each in its own processes, with the options its
// documentation recommends for many small tasks. Prints milliseconds.
import { fileURLToPath } from 'node:url'
import { argumentOf, isRight } from './calls.mjs'

const [name, count, inFlight, task = 'increment'] = process.argv.slice(2)
const file = fileURLToPath(new URL('./task.cjs', import.meta.url))

const pools = {
  async 'jest-worker'() {
    const { Worker } = await import('jest-worker')
    const worker = new Worker(file, { numWorkers: 2, exposedMethods: [task] })
    return { call: (n) => worker[task](n), end: () => worker.end() }
  },
  async tinypool() {
    const { default: Tinypool } = await import('tinypool')
    const size = { minThreads: 2, maxThreads: 2 }
    const pool = new Tinypool({ filename: file, runtime: 'child_process', ...size })
    return { call: (n) => pool.run(n, { name: task }), end: () => pool.destroy() }
  },
  async workerpool() {
    const { default: workerpool } = await import('workerpool')
    const entry = fileURLToPath(new URL('./workerpool-worker.cjs', import.meta.url))
    const pool = workerpool.pool(entry, { workerType: 'process', minWorkers: 2, maxWorkers: 2 })
    return { call: (n) => pool.exec('increment', [n]), end: () => pool.terminate() }
  },
}

const { call, end } = await pools[name]()
await run(count / 10)
const began = performance.now()
await run(Number(count))
console.log(performance.now() - began)
await end()

async function run(length) {
  let next = 0
  const lane = async () => {
    while (next < length) {
      const n = next++
      if (!isRight(task, n, await call(argumentOf(task, n)))) throw new Error(`wrong result for ${n}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(Number(inFlight) || length, length) }, lane))
}
