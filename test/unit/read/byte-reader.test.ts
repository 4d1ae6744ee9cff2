import { ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { FileReader } from '../../../src/read/byte-reader.js'

const path = join(tmpdir(), `poolrun-byte-reader-${process.pid}`)
afterEach(() => rmSync(path, { force: true }))

async function countBytes(reader: FileReader): Promise<number> {
  const block = Buffer.alloc(64 * 1024)
  let all = 0
  for (let count = await reader.read(block); count > 0; count = await reader.read(block)) all += count
  return all
}

test('a file is read to its end, and its end is known with its last byte', async () => {
  const fd = openSync(path, 'w+')
  writeSync(fd, 'abc', 0)
  const reader = new FileReader(openSync(path, 'r'))
  const block = Buffer.alloc(10)
  expect(await reader.read(block)).toBe(3)
  expect(reader.ended).toBe(true)
  expect(await reader.read(block)).toBe(0)
  expect(block.toString('latin1', 0, 3)).toBe('abc')
})

test('a long file leaves everything else its turn, though it is read in this thread', async () => {
  ftruncateSync(openSync(path, 'w'), 16 * 1024 * 1024)
  const reader = new FileReader(openSync(path, 'r'))
  let turns = 0
  let over = false
  const count = () => {
    turns++
    if (!over) setImmediate(count)
  }
  setImmediate(count)
  expect(await countBytes(reader)).toBe(16 * 1024 * 1024)
  over = true
  expect(turns).toBeGreaterThanOrEqual(15)
})

test('what cannot be read is told, not thrown past the promise', async () => {
  const reader = new FileReader(openSync(tmpdir(), 'r'))
  await expect(reader.read(Buffer.alloc(10))).rejects.toMatchObject({ code: 'EISDIR' })
  reader.close()
})
