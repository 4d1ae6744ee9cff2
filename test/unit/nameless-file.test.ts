// Temporary files that no directory lists.
import { closeSync, fstatSync, mkdtempSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openNamelessFile, tryOpenNamelessFile } from '../../src/nameless-file.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nameless-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('openNamelessFile', () => {
  test('opens an empty file for reading and writing that has no name and only this user may open', () => {
    const fd = openNamelessFile(folder)
    expect(readdirSync(folder)).toEqual([])
    expect(fstatSync(fd)).toMatchObject({ size: 0, nlink: 0 })
    expect(fstatSync(fd).mode & 0o777).toBe(0o600)
    writeSync(fd, 'abc')
    const read = Buffer.alloc(3)
    readSync(fd, read, 0, 3, 0)
    expect(read.toString()).toBe('abc')
    closeSync(fd)
  })

  test('throws if the folder does not exist', () => {
    expect(() => openNamelessFile(join(folder, 'none'))).toThrow('ENOENT')
  })
})

describe('tryOpenNamelessFile', () => {
  test('opens a file', () => {
    const fd = tryOpenNamelessFile(folder)
    expect(fstatSync(fd!).nlink).toBe(0)
    closeSync(fd!)
  })

  test('returns undefined if the folder does not exist', () => {
    expect(tryOpenNamelessFile(join(folder, 'none'))).toBeUndefined()
  })
})
