// bin/load.cjs on a small installation of its own.
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { tempSpace } from '../../helpers/temp-space.js'

const LOADER = path.join(import.meta.dirname, '../../../bin/load.cjs')
const A = 'module.exports = function name() { return "a" }'
const B = 'module.exports = function name() { return "b" }'

describe('the cache of compiled code', () => {
  it('is written at the first exit and used at the next start', () => {
    const at = installation({ 'main.cjs': A })
    expect(at.run()).toBe('a')
    const ofA = at.entry()
    at.write('main.cjs', B)
    expect(at.run()).toBe('b')
    // Only if the code in the entry runs, and not the source, can the result differ.
    at.writeEntry(Buffer.concat([Buffer.from(A), codeIn(at.entry(), B)]))
    at.write('main.cjs', A)
    expect(at.run()).toBe('b')
    expect(at.names()).toEqual(['main.cjs.bin'])
    expect(ofA.length).toBeGreaterThan(A.length)
  })

  it('notices a file that was edited and kept its length', () => {
    const at = installation({ 'main.cjs': A })
    at.run()
    at.write('main.cjs', B)
    expect(at.run()).toBe('b')
    expect(at.run()).toBe('b')
  })

  it('ignores an entry that is damaged, and replaces it', () => {
    const at = installation({ 'main.cjs': A })
    at.run()
    const good = at.entry()
    const damages: Readonly<Record<string, (entry: Buffer) => Buffer>> = {
      'a bit is wrong': (entry) => entry.fill(entry[300]! ^ 0x40, 300, 301),
      'the end is missing': (entry) => entry.subarray(0, -50),
      'the end is zero': (entry) => entry.fill(0, entry.length >> 1),
      'nothing is there': () => Buffer.alloc(0),
    }
    for (const [what, damage] of Object.entries(damages)) {
      const damaged = damage(Buffer.from(good))
      at.writeFile(damaged)
      expect(at.run(), what).toBe('a')
      expect(at.entry().length, what).toBe(good.length)
      expect(at.entry().equals(damaged), what).toBe(false)
    }
  })

  it('keeps code that V8 refuses because of its flags out of the way', () => {
    const at = installation({ 'main.cjs': A })
    at.run(['--no-opt'])
    expect(at.run()).toBe('a')
    expect(at.run()).toBe('a')
  })

  it('loads what a file requires from beside it once, and other modules as Node does', () => {
    const at = installation({
      'main.cjs': 'const o = require("./o.cjs"); module.exports = () => o === require("./o.cjs") && o.sep',
      'o.cjs': 'exports.sep = require("node:path").sep',
    })
    expect([at.run(), at.run()]).toEqual(['/', '/'])
    expect(at.names()).toEqual(['main.cjs.bin', 'o.cjs.bin'])
  })

  it('names the file and the column of an error in its first line', () => {
    const at = installation({ 'main.cjs': 'throw new Error("x")' })
    expect(at.runRaw().stderr).toContain(`${path.join(at.folder, 'dist/main.cjs')}:1:7`)
  })

  it('is not written where the installation is not writable, or where it is switched off', () => {
    const file = installation({ 'main.cjs': A })
    writeFileSync(path.join(file.folder, '.cache'), '')
    expect(file.run()).toBe('a')
    const off = installation({ 'main.cjs': A })
    expect(off.run([], { NODE_DISABLE_COMPILE_CACHE: '1' })).toBe('a')
    expect(readdirSync(off.folder)).not.toContain('.cache')
  })

  it('can be changed by its owner only', () => {
    const at = installation({ 'main.cjs': 'process.umask(0); module.exports = () => 1' })
    at.run()
    expect(statSync(at.entryFile()).mode & 0o777).toBe(0o644)
    expect(statSync(path.dirname(at.entryFile())).mode & 0o777).toBe(0o755)
  })
})

function installation(files: Record<string, string>) {
  const space = tempSpace()
  const folder = space.dir
  space.write({ 'bin/run.cjs': 'process.stdout.write(String(require("./load.cjs")("main.cjs")()))' })
  copyFileSync(LOADER, path.join(folder, 'bin/load.cjs'))
  const write = (name: string, text: string) => space.write({ [`dist/${name}`]: text })
  for (const [name, text] of Object.entries(files)) write(name, text)
  const cache = path.join(folder, '.cache', `${process.version}-${process.arch}`)
  const entryFile = () => path.join(cache, 'main.cjs.bin')
  const writeFile = (bytes: Uint8Array) => writeFileSync(entryFile(), bytes)
  const runRaw = (options: string[] = [], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [...options, path.join(folder, 'bin/run.cjs')], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    })
  return {
    folder,
    write,
    writeFile,
    entryFile,
    runRaw,
    run: (options?: string[], env?: Record<string, string>) => {
      const { stdout, stderr, status } = runRaw(options, env)
      expect([status, stderr]).toEqual([0, ''])
      return stdout
    },
    names: () => readdirSync(cache).sort(),
    entry: () => readFileSync(entryFile()),
    writeEntry(bytes: Uint8Array) {
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32LE(crc32(bytes))
      writeFile(Buffer.concat([bytes, checksum]))
    },
  }
}

/** Without the source before it and the checksum after it. */
function codeIn(entry: Buffer, source: string): Buffer {
  return entry.subarray(source.length, -4)
}
