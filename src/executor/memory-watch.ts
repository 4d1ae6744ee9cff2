// How much memory workers hold, looked at from outside, so that an item that never yields is seen, too. Linux only:
// elsewhere workers report it themselves between items. Knows nothing of caps.
import { readFileSync } from 'node:fs'
import type { Ms } from '../model.js'

/** A look costs some 40 µs a worker; an item that allocates a gigabyte a second is seen within a tenth of one. */
const EVERY_MS: Ms = 100

/** Calls back with the resident bytes of each process; gives a function that ends it. */
export function watchMemory(
  pids: () => Iterable<readonly [worker: number, pid: number]>,
  onRss: (worker: number, rss: number) => void,
): () => void {
  if (process.platform !== 'linux') return () => {}
  const timer = setInterval(() => {
    for (const [worker, pid] of pids()) {
      const rss = rssOf(pid)
      if (rss !== undefined) onRss(worker, rss)
    }
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

function rssOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}
