// Keeps the cache folder small: at most once per day, removes files not used for a month, and the oldest files of a
// folder that is too big.
import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const DAY_MS = 24 * 60 * 60 * 1000
const MONTH_MS = 30 * DAY_MS
/** About a thousand jobs of ordinary size. */
const MAX_FOLDER_BYTES = 64 * 1024 * 1024
const STAMP = '.pruned'

/** Never throws: a cache that cannot be cleaned still works. */
export function prune(folder: string, now: number = Date.now()): void {
  try {
    if (prunedToday(path.join(folder, STAMP), now)) return
    let total = 0
    const files = readdirSync(folder)
      .filter((name) => name !== STAMP)
      .map((name) => {
        const file = path.join(folder, name)
        const { mtimeMs, size } = statSync(file)
        total += size
        return { file, age: now - mtimeMs, size }
      })
      .sort((a, b) => b.age - a.age)
    for (const { file, age, size } of files) {
      // Files in use are touched daily. Two days leave room for a wrong clock.
      if (age > MONTH_MS || (total > MAX_FOLDER_BYTES && age > 2 * DAY_MS)) {
        rmSync(file, { force: true })
        total -= size
      }
    }
  } catch {
    // Another process is pruning, or the folder was removed.
  }
}

function prunedToday(stamp: string, now: number): boolean {
  const last = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs
  if (last !== undefined && now - last < DAY_MS) return true
  if (last === undefined) writeFileSync(stamp, '')
  utimesSync(stamp, now / 1000, now / 1000)
  return false
}
