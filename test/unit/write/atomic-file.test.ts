// A file that is replaced as a whole or not at all, on a real disk.
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { createAtomicFile } from '../../../src/write/atomic-file.js'
import { tempSpace } from '../../helpers/temp-space.js'

/** A folder of its own with the target `out`, which has content if there is any. */
function target(before?: string) {
  const { dir, path, read, write } = tempSpace()
  if (before !== undefined) write({ out: before })
  return { dir, path, out: path('out'), text: () => read('out'), names: () => readdirSync(dir).sort() }
}

describe('commit', () => {
  test.each([
    ['creates the target', undefined],
    ['replaces the target', 'before'],
  ])('%s, which is untouched until then', async (_, before) => {
    const { out, text, names } = target(before)
    const file = await createAtomicFile(out, 'the output')
    file.stream.write('after')
    expect(text()).toBe(before ?? '')
    await file.commit()
    expect(text()).toBe('after')
    expect(names()).toEqual(['out'])
  })

  test('waits for everything that was written', async () => {
    const { out } = target()
    const file = await createAtomicFile(out, 'the output')
    for (let i = 0; i < 100; i++) file.stream.write(Buffer.alloc(100_000, 'x'))
    await file.commit()
    expect(statSync(out).size).toBe(10_000_000)
  })

  test('keeps the permissions of the target', async () => {
    const { out } = target('before')
    chmodSync(out, 0o640)
    const file = await createAtomicFile(out, 'the output')
    await file.commit()
    expect(statSync(out).mode & 0o777).toBe(0o640)
  })

  test('replaces the file that a link leads to, not the link', async () => {
    const { out, path, text, names } = target('before')
    symlinkSync(out, path('link'))
    const file = await createAtomicFile(path('link'), 'the output')
    file.stream.write('after')
    await file.commit()
    expect(text()).toBe('after')
    expect(lstatSync(path('link')).isSymbolicLink()).toBe(true)
    expect(names()).toEqual(['link', 'out'])
  })

  test('rejects with an OutputError if the target has become a directory', async () => {
    const { out, names } = target()
    const file = await createAtomicFile(out, 'the output')
    mkdirSync(`${out}/sub`, { recursive: true })
    const error = await file.commit().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect(error).toMatchObject({ message: expect.stringContaining(`cannot write the output ${out}: `) })
    await file.discard()
    expect(names()).toEqual(['out'])
  })

  test('rejects with an OutputError if its folder has been removed', async () => {
    const { path } = target()
    mkdirSync(path('sub'))
    const file = await createAtomicFile(path('sub/out'), 'the errors')
    rmSync(path('sub'), { recursive: true })
    await expect(file.commit()).rejects.toThrow(
      `cannot write the errors ${path('sub/out')}: its folder does not exist`,
    )
    await expect(file.discard()).resolves.toBeUndefined()
  })
})

describe('discard', () => {
  test.each([
    ['leaves no target', undefined, []],
    ['leaves the target as it was', 'before', ['out']],
  ])('%s, nor a temporary file', async (_, before, left) => {
    const { out, text, names } = target(before)
    const file = await createAtomicFile(out, 'the output')
    file.stream.write('after')
    await file.discard()
    expect(text()).toBe(before ?? '')
    expect(names()).toEqual(left)
  })
})

describe('a target that cannot be written', () => {
  test.each<[string, (path: (name: string) => string) => string, string]>([
    ['in a folder that does not exist', (path) => path('none/out'), 'its folder does not exist'],
    ['in a folder that is a file', (path) => path('out/x'), 'its folder is not a folder'],
    ['that is a directory', (path) => path('.'), 'it is a directory'],
  ])('%s, is refused', async (_, pathOf, reason) => {
    const { path, names } = target('before')
    const error = await createAtomicFile(pathOf(path), 'the json report').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect(error).toMatchObject({ message: `cannot write the json report ${pathOf(path)}: ${reason}` })
    expect(names()).toEqual(['out'])
  })

  test.runIf(process.getuid?.() !== 0)('because its permissions forbid it, is refused', async () => {
    const { out } = target('before')
    chmodSync(out, 0o444)
    await expect(createAtomicFile(out, 'the output')).rejects.toThrow(`${out}: permission denied`)
  })

  test('because the disk is full, is reported by commit', async () => {
    const file = await createAtomicFile('/dev/full', 'the output')
    file.stream.write('x')
    await expect(file.commit()).rejects.toThrow(
      'cannot write the output /dev/full: no space left on the device',
    )
  })
})

test('a device is written in place', async () => {
  const before = statSync('/dev/null').ino
  const file = await createAtomicFile('/dev/null', 'the output')
  file.stream.write('x')
  await file.commit()
  const discarded = await createAtomicFile('/dev/null', 'the output')
  await discarded.discard()
  expect(statSync('/dev/null').ino).toBe(before)
})

test('a link in /dev or /proc is written in place, though it leads to a file', async () => {
  const { out, text, names } = target('before')
  const fd = openSync(out, 'r+')
  const inode = statSync(out).ino
  const file = await createAtomicFile(`/proc/self/fd/${fd}`, 'the output')
  file.stream.write('after')
  await file.commit()
  closeSync(fd)
  expect(text()).toBe('after')
  expect(statSync(out).ino).toBe(inode)
  expect(names()).toEqual(['out'])
})
