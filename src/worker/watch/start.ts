// Starts the thread that watches items.
import { createRequire } from 'node:module'
import path from 'node:path'
import { ItemWatch, WatchMemory } from '../../ipc/flight-recorder/item-watch.js'

const ENTRY = path.join(import.meta.dirname, 'watch.cjs')

export interface WatchData {
  readonly shared: SharedArrayBuffer
  /** Of the flight recorder's file. */
  readonly fd: number
}

/** `undefined` if no thread can be started: then each item is recorded. */
export function startItemWatch(fd: number): ItemWatch | undefined {
  const memory = new WatchMemory()
  const workerData: WatchData = { shared: memory.shared, fd }
  try {
    // Loaded only here: most runs watch nothing, and it would delay the start of each worker.
    const load = createRequire(import.meta.filename)
    const { Worker } = load('node:worker_threads') as typeof import('node:worker_threads')
    // With an environment of its own, so that the job's NODE_OPTIONS load nothing there.
    const thread = new Worker(ENTRY, { workerData, env: {}, execArgv: [] })
    thread.on('error', () => {})
    thread.unref()
  } catch {
    return undefined
  }
  return new ItemWatch(memory)
}
