// Regular files, read synchronously block by block.
import { ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { FileReader } from '../../../src/read/byte-reader.js'

const path = join(tmpdir(), `poolrun-byte-reader-${process.pid}`)
afterEach(() => rmSync(path, { force: true }))

async function countBytes(reader: FileReader): Promise<number> {
  const block = Buffer.alloc(64 * 1024)
  let all = 0
  for (let count = await reader.read(block); count > 0; count = await reader.read(block)) all += count
  return all
}

describe('FileReader', () => {
  test('reads a file to its end, which it knows with the last byte', async () => {
    const fd = openSync(path, 'w+')
    writeSync(fd, 'abc', 0)
    const reader = new FileReader(openSync(path, 'r'))
    const block = Buffer.alloc(10)
    expect(await reader.read(block)).toBe(3)
    expect(reader.ended).toBe(true)
    expect(await reader.read(block)).toBe(0)
    expect(block.toString('latin1', 0, 3)).toBe('abc')
  })

  test('yields to the event loop while it reads a long file', async () => {
    ftruncateSync(openSync(path, 'w'), 16 * 1024 * 1024)
    const reader = new FileReader(openSync(path, 'r'))
    let turns = 0
    let finished = false
    const count = () => {
      turns++
      if (!finished) setImmediate(count)
    }
    setImmediate(count)
    expect(await countBytes(reader)).toBe(16 * 1024 * 1024)
    finished = true
    expect(turns).toBeGreaterThanOrEqual(15)
  })

  test('rejects if the file cannot be read', async () => {
    const reader = new FileReader(openSync(tmpdir(), 'r'))
    await expect(reader.read(Buffer.alloc(10))).rejects.toMatchObject({ code: 'EISDIR' })
    reader.close()
  })
})
