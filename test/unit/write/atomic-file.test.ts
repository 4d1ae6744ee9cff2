// A file that is replaced as a whole or not at all, on a real disk.
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { createAtomicFile } from '../../../src/write/atomic-file.js'
import type { TemporaryFiles } from '../../../src/write/replacement.js'
import { tempSpace } from '../../helpers/temp-space.js'

/** A folder of its own with the target `out`, which has content if there is any. */
function target(before?: string) {
  const { dir, path, read, write } = tempSpace()
  if (before !== undefined) write({ out: before })
  return { dir, path, read, out: path('out'), text: () => read('out'), names: () => readdirSync(dir).sort() }
}

function watchTemporaries() {
  const watched: string[] = []
  const temporaries: TemporaryFiles = {
    watch(path) {
      // Killed after its creation and before this, the process would leave it.
      expect(existsSync(path)).toBe(false)
      watched.push(path)
    },
    forget: (path) => void watched.splice(watched.indexOf(path), 1),
  }
  return { temporaries, watched }
}

const isRoot = process.getuid?.() === 0

async function socketAt(path: string): Promise<string> {
  const server = createServer().listen(path)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return path
}

function loopAt(path: string): string {
  symlinkSync('other loop', path)
  symlinkSync('loop', join(dirname(path), 'other loop'))
  return path
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

  test.runIf(isRoot)('keeps the owner and the group of the target', async () => {
    const { out } = target('before')
    chmodSync(out, 0o600)
    chownSync(out, 65534, 65533)
    const file = await createAtomicFile(out, 'the output')
    file.stream.write('after')
    await file.commit()
    const { uid, gid, mode, size } = statSync(out)
    expect({ uid, gid, mode: mode & 0o7777, size }).toEqual({ uid: 65534, gid: 65533, mode: 0o600, size: 5 })
  })

  test('replaces a file with a name of the greatest length', async () => {
    const { path, read } = target()
    for (const name of ['n'.repeat(255), 'ü'.repeat(127)]) {
      const file = await createAtomicFile(path(name), 'the output')
      file.stream.write('after')
      await file.commit()
      expect(read(name)).toBe('after')
    }
  })

  test('has its temporary file watched until it is renamed or removed', async () => {
    const { out, dir, names } = target('before')
    const { temporaries, watched } = watchTemporaries()
    for (const end of ['commit', 'discard'] as const) {
      const file = await createAtomicFile(out, 'the output', undefined, temporaries)
      expect(watched.map((path) => relative(dir, path))).toEqual([names()[0]])
      await file[end]()
      expect(watched).toEqual([])
    }
  })

  test('has nothing watched where no temporary file can be created', async () => {
    const { path } = target()
    const { temporaries, watched } = watchTemporaries()
    const refused = createAtomicFile(path('none/out'), 'the output', undefined, temporaries)
    await expect(refused).rejects.toThrow('its folder does not exist')
    expect(watched).toEqual([])
  })

  test.each([
    ['out', 'in the same folder'],
    ['sub/out', 'in another folder'],
  ])('creates %s, to which a link leads that led nowhere, and the link stays', async (name) => {
    const { path, read } = target()
    mkdirSync(path('sub'))
    symlinkSync('link', path('link to the link'))
    symlinkSync(name, path('link'))
    const file = await createAtomicFile(path('link to the link'), 'the output')
    file.stream.write('after')
    await file.commit()
    expect(read(name)).toBe('after')
    for (const link of ['link', 'link to the link']) expect(lstatSync(path(link)).isSymbolicLink()).toBe(true)
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

  test('that fails keeps what was written and says where, if anything was', async () => {
    for (const content of ['results', '']) {
      const { dir, out, names, read } = target()
      const { temporaries, watched } = watchTemporaries()
      const file = await createAtomicFile(out, 'the output', undefined, temporaries)
      file.stream.write(content)
      mkdirSync(`${out}/sub`, { recursive: true })
      const error = await file.commit().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OutputError)
      const { message } = error as OutputError
      expect(message).toContain(`cannot write the output ${out}: it is a directory`)
      await file.discard()
      const [, kept] = /; the finished file is kept in (.*)$/.exec(message) ?? []
      expect(kept).toEqual(content === '' ? undefined : expect.any(String))
      expect(names()).toEqual(kept === undefined ? ['out'] : [relative(dir, kept), 'out'])
      if (kept !== undefined) expect(read(relative(dir, kept))).toBe(content)
      expect(watched).toEqual([])
    }
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
  test.each<[string, (path: (name: string) => string) => string | Promise<string>, string]>([
    ['in a folder that does not exist', (path) => path('none/out'), 'its folder does not exist'],
    ['in a folder that is a file', (path) => path('out/x'), 'its folder is not a folder'],
    ['that is a directory', (path) => path('.'), 'it is a directory'],
    ['that can only be a directory', (path) => `${path('new')}/`, 'it is a directory'],
    ['that is a socket', (path) => socketAt(path('socket')), 'it is a socket'],
    ['that is a loop of links', (path) => loopAt(path('loop')), 'it is a loop of symbolic links'],
    ['that the kernel does not offer', () => '/dev/fd/12345', 'it does not exist'],
    ['with a name that is too long', (path) => path('n'.repeat(256)), 'its name is too long'],
  ])('%s, is refused', async (_, pathOf, reason) => {
    const { path, names } = target('before')
    const refused = await pathOf(path)
    const error = await createAtomicFile(refused, 'the json report').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect(error).toMatchObject({ message: `cannot write the json report ${refused}: ${reason}` })
    expect(names().filter((name) => !['socket', 'loop', 'other loop'].includes(name))).toEqual(['out'])
  })

  test.runIf(!isRoot)('because its permissions forbid it, is refused', async () => {
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
