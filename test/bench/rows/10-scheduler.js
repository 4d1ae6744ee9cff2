// The scheduler alone, with workers that settle every chunk immediately: whether an item costs the same however many
// there are.
// Compiled from the sources here, because the package does not export it.
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const MANY = 10_000_000
const FEW = 10_000
const WORKERS = 64
/** Fixed: adaptive chunks are small at the beginning, and a short run is all beginning. */
const CHUNK_SIZE = 10

export default {
  number: 10,
  title: `${WORKERS} workers over a fake transport, chunks of ${CHUNK_SIZE}: cost of an item`,
  async run({ tmp, alternate, row }) {
    const outfile = path.join(tmp, 'scheduler.mjs')
    const entry = fileURLToPath(new URL('../../../src/executor/scheduler/scheduler.ts', import.meta.url))
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node' })
    const { Scheduler } = await import(pathToFileURL(outfile))
    const cost = (items, times) => () => {
      const began = performance.now()
      for (let i = 0; i < times; i++) drive(Scheduler, items)
      return ((performance.now() - began) * 1e6) / (items * times)
    }
    cost(FEW, 50)()
    const { ours, peer } = await alternate({ ours: cost(MANY, 1), peer: cost(FEW, 50) })
    row({ versus: `${MANY} items against ${FEW}`, ours, peer, unit: 'ns', atMost: 1.2 })
  },
}

const values = { kind: 'values', values: Array(CHUNK_SIZE).fill(0) }

function drive(Scheduler, items) {
  const limits = { initTimeoutMs: 60_000, killAfterMs: 2_000, maxRestarts: 16 }
  const scheduler = new Scheduler({ processes: WORKERS, concurrency: 1, ...limits })
  const task = { name: 'default', calling: 'item', reply: 'values' }
  const queues = Array.from({ length: WORKERS }, () => [])
  const inbox = []
  let taken = 0
  let settled = 0
  let ended = false
  let now = 0
  const post = (input) => {
    inbox.push(input)
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift())
      for (const command of scheduler.handle(next, ++now / 1000)) perform(command)
  }
  const perform = (command) => {
    switch (command.type) {
      case 'spawn':
        inbox.push({ type: 'spawned', worker: command.worker, pid: 1000 + command.worker })
        inbox.push({ type: 'ready', worker: command.worker, exports: { default: 'function' } })
        break
      case 'pull': {
        const count = Math.min(command.want.items, items - taken)
        const chunk = count === 0 ? undefined : { seq: taken, count, payload: values }
        taken += count
        inbox.push({ type: 'supply', call: command.call, chunk, remaining: items - taken })
        break
      }
      case 'run':
        queues[command.worker].push(command.chunk)
        break
      case 'settle':
        settled += command.settled.count
        break
      case 'end':
        ended = true
        break
    }
  }
  post({ type: 'start', count: WORKERS })
  post({ type: 'open', call: 1, task, chunkSize: CHUNK_SIZE, remaining: items })
  while (!ended)
    for (let worker = 0; worker < WORKERS; worker++) {
      const chunk = queues[worker].shift()
      if (chunk === undefined) continue
      const { id, count } = chunk
      const range = { id, from: 0, count, results: values, failures: [], busyMs: 0.01 }
      post({ type: 'settled', worker, ranges: [range] })
    }
  if (settled !== items) throw new Error(`${settled} of ${items} items settled`)
}
