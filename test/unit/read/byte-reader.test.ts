// Regular files, read synchronously block by block.
import {
  appendFileSync,
  ftruncateSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
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

  test.each([
    ['emptied', 0],
    ['cut off before the place that was read', 2],
    ['cut off behind it', 5],
  ])('rejects after the bytes that are there if the file is %s meanwhile', async (_how, length) => {
    writeFileSync(path, '12345678')
    const reader = new FileReader(openSync(path, 'r'))
    const block = Buffer.alloc(4)
    expect(await reader.read(block)).toBe(4)
    truncateSync(path, length)
    if (length > 4) expect(await reader.read(block)).toBe(length - 4)
    await expect(reader.read(block)).rejects.toThrow('it became shorter while it was read')
    appendFileSync(path, '12345678')
    await expect(reader.read(block), 'although it has grown again').rejects.toThrow('it became shorter')
    reader.close()
  })

  test('reads what is appended meanwhile', async () => {
    writeFileSync(path, '1234')
    const reader = new FileReader(openSync(path, 'r'))
    expect(await reader.read(Buffer.alloc(2))).toBe(2)
    appendFileSync(path, '5678')
    expect(await countBytes(reader)).toBe(6)
  })

  test('rejects if the file cannot be read', async () => {
    const reader = new FileReader(openSync(tmpdir(), 'r'))
    await expect(reader.read(Buffer.alloc(10))).rejects.toMatchObject({ code: 'EISDIR' })
    reader.close()
  })
})
