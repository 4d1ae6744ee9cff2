// Keeps the cache folder small: at most once a day, what nobody has used for a month goes, and the oldest files
// of a folder that has grown too big. Knows nothing of what the files mean.
import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const DAY = 24 * 60 * 60 * 1000
const MONTH = 30 * DAY
/** A thousand jobs of ordinary size. */
const MOST_BYTES = 64 * 1024 * 1024
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
      // Whoever uses a file touches it daily; two days leave room for a clock that is off.
      if (age > MONTH || (total > MOST_BYTES && age > 2 * DAY)) {
        rmSync(file, { force: true })
        total -= size
      }
    }
  } catch {
    // Another process is cleaning, or the folder has gone.
  }
}

function prunedToday(stamp: string, now: number): boolean {
  const last = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs
  if (last !== undefined && now - last < DAY) return true
  if (last === undefined) writeFileSync(stamp, '')
  utimesSync(stamp, now / 1000, now / 1000)
  return false
}
