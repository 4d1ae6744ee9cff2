// What leaves the cache folder, by age and by total size.
import { readdirSync, truncateSync, utimesSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { prune } from '../../../src/job/prune.js'
import { tempSpace } from '../../helpers/temp-space.js'

const DAY = 24 * 60 * 60 * 1000
const NOW = Date.parse('2024-06-01T12:00:00Z')

/** A folder with files of these ages in days, each of `bytes` bytes. */
function folderOf(ages: Readonly<Record<string, number>>, bytes = 1): string {
  const { dir, path, write } = tempSpace()
  for (const [name, days] of Object.entries(ages)) {
    write({ [name]: '' })
    truncateSync(path(name), bytes)
    const seconds = (NOW - days * DAY) / 1000
    utimesSync(path(name), seconds, seconds)
  }
  return dir
}

const remaining = (folder: string) => readdirSync(folder).filter((name) => name !== '.pruned')

describe('prune', () => {
  it('removes what was not used for a month', () => {
    const folder = folderOf({ old: 31, new: 29 })
    prune(folder, NOW)
    expect(remaining(folder)).toEqual(['new'])
  })

  it('does so once a day at most', () => {
    const folder = folderOf({ old: 31, '.pruned': 0 })
    prune(folder, NOW)
    expect(remaining(folder)).toEqual(['old'])
    prune(folder, NOW + 2 * DAY)
    expect(remaining(folder)).toEqual([])
  })

  it('removes the oldest files of a folder that is too large, but none that may be in use', () => {
    const folder = folderOf({ a: 9, b: 8, c: 1, d: 1, e: 0 }, 24 * 1024 * 1024)
    prune(folder, NOW)
    expect(remaining(folder)).toEqual(['c', 'd', 'e'])
  })

  it('ignores a folder that does not exist', () => {
    expect(() => prune('/dev/null/x', NOW)).not.toThrow()
  })
})
