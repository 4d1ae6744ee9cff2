// Runs the scheduler alone, with workers that settle every chunk immediately.
// Compiled from the sources here, because the package does not export it.
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

export const WORKERS = 64

export async function loadScheduler(tmp) {
  const outfile = path.join(tmp, 'scheduler.mjs')
  const entry = fileURLToPath(new URL('../../src/executor/scheduler/scheduler.ts', import.meta.url))
  await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node' })
  return (await import(pathToFileURL(outfile))).Scheduler
}

/** Returns how many inputs the scheduler has handled. */
export function drive(Scheduler, items, chunkSize) {
  const values = { kind: 'values', values: Array(chunkSize).fill(0) }
  const limits = { initTimeoutMs: 60_000, killAfterMs: 2_000, maxRestarts: 16 }
  const scheduler = new Scheduler({ processes: WORKERS, concurrency: 1, ...limits })
  const task = { name: 'default', calling: 'item', reply: 'values' }
  const queues = Array.from({ length: WORKERS }, () => [])
  const inbox = []
  let taken = 0
  let settled = 0
  let ended = false
  let now = 0
  let inputs = 0
  const post = (input) => {
    inbox.push(input)
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
      inputs++
      for (const command of scheduler.handle(next, ++now / 1000)) perform(command)
    }
    scheduler.nextWake()
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
  post({ type: 'open', call: 1, task, chunkSize, remaining: items })
  while (!ended)
    for (let worker = 0; worker < WORKERS; worker++) {
      const chunk = queues[worker].shift()
      if (chunk === undefined) continue
      const { id, count } = chunk
      const range = { id, from: 0, count, results: values, failures: [], busyMs: 0.01 }
      post({ type: 'settled', worker, ranges: [range] })
    }
  if (settled !== items) throw new Error(`${settled} of ${items} items settled`)
  return inputs
}
