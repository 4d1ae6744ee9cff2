// When a stored module is found again: as long as its inputs and its own files are what they were.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { find, sha256, store } from '../../../src/job/cache.js'
import { prune } from '../../../src/job/prune.js'
import { type TempSpace, tempSpace } from '../../helpers/temp-space.js'

const KEY = sha256('key')
const DAY = 24 * 60 * 60 * 1000

/** A module stored in the folder `cache` of `space`, made from two sources, a package and the lack of a tsconfig. */
function stored(space: TempSpace, graph = '{"entry":"/a.ts"}'): string {
  symlinkOnce(space.path('real'), space.path('link'))
  space.write({ 'a.ts': 'a', 'b.ts': 'b', 'pkg/main.js': '', 'cache/.keep': '' })
  const contents = { [space.path('a.ts')]: sha256('a'), [space.path('b.ts')]: sha256('b') }
  const inputs = {
    contents,
    present: [space.path('pkg/main.js')],
    absent: [space.path('tsconfig.json')],
    links: { [space.path('link')]: space.path('real') },
  }
  return store(space.path('cache'), KEY, { graph, inputs, warnings: ['one'] })
}

function symlinkOnce(target: string, link: string): void {
  mkdirSync(target, { recursive: true })
  if (!existsSync(link)) symlinkSync(target, link)
}

function relink(space: TempSpace, to: string | undefined): void {
  rmSync(space.path('link'))
  if (to === undefined) mkdirSync(space.path('link'))
  else symlinkSync(space.path(to), space.path('link'))
}

const filesOf = (space: TempSpace) => readdirSync(space.path('cache')).filter((name) => name !== '.keep')

describe('find', () => {
  it('gives the job that was stored', () => {
    const space = tempSpace()
    const file = stored(space)
    expect(find(space.path('cache'), KEY)).toEqual({ file, warnings: ['one'] })
    expect(readFileSync(file, 'utf8')).toBe('{"entry":"/a.ts"}')
  })

  it.each<[string, (space: TempSpace, file: string) => void]>([
    ['a source has changed', (space) => void space.write({ 'b.ts': 'c' })],
    ['a source does not exist any more', (space) => rmSync(space.path('a.ts'))],
    ['the main file of a package does not exist any more', (space) => rmSync(space.path('pkg/main.js'))],
    [
      'a file exists that would have been found first',
      (space) => void space.write({ 'tsconfig.json': '{}' }),
    ],
    ['the module is cut short', (_, file) => truncateSync(file, 3)],
    ['the module does not exist any more', (_, file) => rmSync(file)],
    ['a symbolic link leads elsewhere', (space) => relink(space, 'pkg')],
    ['a symbolic link is a folder now', (space) => relink(space, undefined)],
    ['the manifest is cut short', (space) => truncateSync(space.path(`cache/${KEY}.json`), 10)],
  ])('gives nothing when %s', (_, change) => {
    const space = tempSpace()
    change(space, stored(space))
    expect(find(space.path('cache'), KEY)).toBeUndefined()
  })

  it('gives nothing for another key, or without a folder', () => {
    const space = tempSpace()
    stored(space)
    expect(find(space.path('cache'), sha256('other'))).toBeUndefined()
    expect(find(space.path('none'), KEY)).toBeUndefined()
  })

  it('makes the files that it finds young again, so that pruning spares them', () => {
    const space = tempSpace()
    stored(space)
    const seconds = (Date.now() - 40 * DAY) / 1000
    for (const name of filesOf(space)) utimesSync(join(space.path('cache'), name), seconds, seconds)
    find(space.path('cache'), KEY)
    prune(space.path('cache'))
    expect(filesOf(space).filter((name) => name !== '.pruned')).toHaveLength(2)
  })
})

describe('store', () => {
  it('leaves an older module where it is, for processes that still import it', () => {
    const space = tempSpace()
    const old = stored(space)
    const next = stored(space, '{"entry":"/b.ts"}')
    expect(next).not.toBe(old)
    expect(statSync(old).size).toBeGreaterThan(0)
    expect(find(space.path('cache'), KEY)?.file).toBe(next)
  })

  it('throws where the folder cannot be written, and leaves no temporary file', () => {
    const space = tempSpace()
    const inputs = { contents: {}, present: [], absent: [], links: {} }
    expect(() => store('/dev/null/x', KEY, { graph: '', inputs, warnings: [] })).toThrow(/ENOTDIR|ENOENT/)
    space.write({ [`cache/${KEY}.json/in-the-way`]: '' })
    expect(() => store(space.path('cache'), KEY, { graph: '', inputs, warnings: [] })).toThrow()
    expect(filesOf(space).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
