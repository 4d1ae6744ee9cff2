// Which files patterns match, in trees with links.
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import { findFiles, pathAsJson } from '../../../src/read/glob.js'

let cwd: string

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'glob-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function touch(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), '')
  }
}

function link(target: string, name: string): void {
  mkdirSync(dirname(join(cwd, name)), { recursive: true })
  symlinkSync(target, join(cwd, name))
}

const glob = (...patterns: string[]) => findFiles(patterns, cwd)

describe('a pattern', () => {
  test.each([
    ['*', 'a.txt b(1).txt b.md'],
    ['*.txt', 'a.txt b(1).txt'],
    ['**', 'a.txt b(1).txt b.md d/e/f.txt d/e/g.md d/f.txt'],
    ['**/*', 'a.txt b(1).txt b.md d/e/f.txt d/e/g.md d/f.txt'],
    ['**/*.md', 'b.md d/e/g.md'],
    ['**/f.txt', 'd/e/f.txt d/f.txt'],
    ['d/**/f.txt', 'd/e/f.txt d/f.txt'],
    ['d/**', 'd/e/f.txt d/e/g.md d/f.txt'],
    ['*/*', 'd/f.txt'],
    ['*/e/?.txt', 'd/e/f.txt'],
    ['./d//e/../f.txt', 'd/f.txt'],
    ['d/e/*.{txt,md}', 'd/e/f.txt d/e/g.md'],
    ['{d/e,d}/f.txt', 'd/e/f.txt d/f.txt'],
    ['d/{e/,}f.*', 'd/e/f.txt d/f.txt'],
    ['**/e/**/g.md', 'd/e/g.md'],
    ['**/**/g.md', 'd/e/g.md'],
    ['[ab].*', 'a.txt b.md'],
    ['@(a|b).*', 'a.txt b.md'],
    ['!(a).md', 'b.md'],
    ['b\\(1\\).txt', 'b(1).txt'],
    ['.*', '.hidden'],
    ['**/.*', '.hidden d/.x'],
    ['.h/*', '.h/in.txt'],
    ['*.txt !b*', 'a.txt'],
    ['**/*.txt !d/e/**', 'a.txt b(1).txt d/f.txt'],
    ['**/*.txt !**/e', 'a.txt b(1).txt d/f.txt'],
  ])('%s', async (patterns, expected) => {
    touch('a.txt', 'b.md', 'b(1).txt', 'd/f.txt', 'd/e/f.txt', 'd/e/g.md', '.hidden', 'd/.x', '.h/in.txt')
    expect((await glob(...patterns.split(' '))).join(' ')).toBe(expected)
  })

  test('is relative to the working directory, also where it leads out of it', async () => {
    touch('a/x.txt', 'b/y.txt')
    expect(await findFiles(['../b/*.txt', join(cwd, 'a/*.txt')], join(cwd, 'a'))).toEqual([
      '../b/y.txt',
      'x.txt',
    ])
  })

  test('with a range means every number in it, as in bash', async () => {
    touch(...Array.from({ length: 12 }, (_, i) => `r/${i + 1}.txt`), 'r/01.txt', 'r/0.txt', 'r/13.txt')
    expect(await glob('r/{1..12}.txt')).toHaveLength(12)
    expect(await glob('r/{01..03}.txt')).toEqual(['r/01.txt'])
    expect(await glob('r/{1..10..3}.*')).toEqual(['r/1.txt', 'r/10.txt', 'r/4.txt', 'r/7.txt'])
    expect(await glob('{q..s}/{9..12..3}.t[x]t')).toEqual(['r/12.txt', 'r/9.txt'])
  })

  test('has braces that are no list as characters', async () => {
    touch('{a}1.txt', 'a{2}', 'aa')
    expect(await glob('{a}*', 'a{2}')).toEqual(['a{2}', '{a}1.txt'])
    expect(await glob('*{2}')).toEqual(['a{2}'])
  })

  test('finds names with line breaks, at any depth', async () => {
    touch('a\nb.txt', 'd\n/\ne.txt', '\n')
    expect(await glob('**/*.txt')).toEqual(['a\nb.txt', 'd\n/\ne.txt'])
    expect(await glob('**')).toEqual(['\n', 'a\nb.txt', 'd\n/\ne.txt'])
    expect(await glob('*', '*/*')).toHaveLength(3)
  })

  test('without a match is an error, also beside others', async () => {
    touch('a.txt', 'r/1.txt')
    await expect(glob('*.png')).rejects.toThrow(new InputError(`no file matches '*.png' in ${cwd}`))
    await expect(glob('*.txt', '*.png', 'b/{1..3}')).rejects.toThrow(
      `no file matches '*.png', 'b/{1..3}' in ${cwd}`,
    )
    await expect(glob('r')).rejects.toThrow("no file matches 'r'")
    // What it matches is there, though another pattern gave it before.
    expect(await glob('*.txt', 'a.*', 'r/{1..3}.txt')).toEqual(['a.txt', 'r/1.txt'])
  })

  test.runIf(process.getuid?.() !== 0)('says which folder it cannot read', async () => {
    touch('a.txt', 'closed/b.txt')
    chmodSync(join(cwd, 'closed'), 0)
    await expect(glob('**/*.txt')).rejects.toThrow('cannot read closed: permission denied')
    expect(await glob('**/*.txt', '!closed')).toEqual(['a.txt'])
    chmodSync(join(cwd, 'closed'), 0o700)
  })

  test('that stands for too many names is an error', async () => {
    await expect(glob('{1..9999999}')).rejects.toThrow(InputError)
  })
})

test.skipIf(process.platform !== 'linux')(
  'names that are not UTF-8 are items that fail, not items less',
  async () => {
    touch('d/good', 'ok\ufffd', 'ok\\udcff')
    const raw = (name: string) => Buffer.from(`${cwd}/${name}`, 'latin1')
    for (const name of ['a\xff', 'a\xfe', 'd/"\xc3']) writeFileSync(raw(name), '')
    mkdirSync(raw('e\xff'))
    writeFileSync(raw('e\xff/good'), '')
    const lines = async (...patterns: string[]) =>
      (await glob(...patterns)).map((path) => pathAsJson(path).toString('latin1'))
    expect(await lines('a*', 'ok*')).toEqual(['"a\xff"', '"a\xff"', '"ok\\\\udcff"', '"ok\xef\xbf\xbd"'])
    // The folder counts where it may hold a match.
    expect(await lines('**/*good')).toEqual(['"d/good"', '"e\xff"'])
    expect(await lines('d/*')).toEqual(['"d/\\"\xff"', '"d/good"'])
  },
)

describe('a file that several paths lead to is one item', () => {
  test('through folders that link to each other', async () => {
    touch('a/1.txt', 'b/2.txt')
    link('../b', 'a/b')
    link('../a', 'b/a')
    expect(await glob('**/*.txt')).toEqual(['a/1.txt', 'b/2.txt'])
    expect(await glob('a/**/*.txt')).toEqual(['a/1.txt', 'a/b/2.txt'])
  })

  test('through a folder that links to itself or to one above it', async () => {
    touch('a/b/1.txt')
    link('.', 'a/self')
    link('../..', 'a/b/up')
    expect(await glob('**/*.txt')).toEqual(['a/b/1.txt'])
    expect(await glob('a/*/*/*.txt')).toEqual(['a/self/b/1.txt'])
  })

  test('in linear time: twelve folders, each with links to all', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    for (const name of names) {
      touch(`${name}/package/index.js`)
      for (const other of names) link(`../../../${other}/package`, `${name}/package/node_modules/${other}`)
    }
    expect(await glob('**/index.js')).toEqual(names.map((name) => `${name}/package/index.js`).sort())
    expect(await glob('n0/**/node_modules/*/index.js')).toHaveLength(12)
  })

  test('by two patterns, and with the path that has fewer links', async () => {
    touch('real/1.txt')
    link('real', 'link')
    link('link', 'again')
    expect(await glob('*/*.txt', 'real/*', 'link/1.txt')).toEqual(['real/1.txt'])
    expect(await glob('link/*', 'real/*')).toEqual(['real/1.txt'])
    expect(await glob('l*/*.txt', './link/1.txt')).toEqual(['link/1.txt'])
  })

  test('but a folder that was read for one pattern is read again where another goes on', async () => {
    touch('real/f.txt', 'p/x/y/other.txt')
    link('real', 'link')
    link('../real', 'p/l')
    expect(await glob('*/*/f.txt')).toEqual(['p/l/f.txt'])
    touch('out/deep/f.txt', 'p/a/f.txt')
    link('../out', 'p/b')
    expect(await glob('out/*.txt', 'p/*/deep/*.txt', 'p/*/f.txt').catch((error) => error.message)).toContain(
      "'out/*.txt'",
    )
    expect(await glob('p/{a,l}/*.txt', 'real/*')).toEqual(['p/a/f.txt', 'real/f.txt'])
  })

  test('but two names in one folder are two items', async () => {
    touch('a.txt')
    link('a.txt', 'b.txt')
    linkSync(join(cwd, 'a.txt'), join(cwd, 'c.txt'))
    link('nowhere', 'd.txt')
    expect(await glob('*.txt')).toEqual(['a.txt', 'b.txt', 'c.txt'])
  })
})
