// Measures the memory of workers from outside, again and again.
import { clearInterval, setInterval } from '../clock.js'
import type { MemoryProbe } from '../transport/memory-probe.js'

/** Returns a function that ends the measuring. */
export function watchMemory(
  probe: MemoryProbe,
  pids: () => readonly (readonly [worker: number, pid: number])[],
  onRss: (worker: number, rss: number) => void,
): () => void {
  const timer = setInterval(() => {
    const measured = pids()
    const numbers = measured.map(([, pid]) => pid)
    probe.measure(numbers, (bytes) => {
      // What has been measured may have exited since, and another process may have its place.
      const current = new Map(pids())
      for (const [worker, pid] of measured) {
        const rss = bytes.get(pid)
        if (rss !== undefined && current.get(worker) === pid) onRss(worker, rss)
      }
    })
  }, probe.intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
