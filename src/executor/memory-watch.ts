// Measures the resident memory of workers from outside, so that an item that never yields is measured too. Linux only:
// elsewhere workers report their memory between items.
import { readFileSync } from 'node:fs'
import type { Ms } from '../model.js'

/** Reading costs about 40 µs per worker. An item that allocates 1 GB per second is noticed within 100 MB. */
const INTERVAL_MS: Ms = 100

/** Returns a function that ends the measuring. */
export function watchMemory(
  pids: () => Iterable<readonly [worker: number, pid: number]>,
  onRss: (worker: number, rss: number) => void,
): () => void {
  if (process.platform !== 'linux') return () => {}
  const timer = setInterval(() => {
    for (const [worker, pid] of pids()) {
      const rss = residentBytes(pid)
      if (rss !== undefined) onRss(worker, rss)
    }
  }, INTERVAL_MS)
  timer.unref()
  return () => clearInterval(timer)
}

function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    // The process has exited.
    return undefined
  }
}
