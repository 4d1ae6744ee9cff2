// Where compiled jobs are kept, and who may be able to write there.
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { userInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isTrusted, sharedFolder } from '../../../src/job/cache-folder.js'
import { tempSpace } from '../../helpers/temp-space.js'

describe('sharedFolder', () => {
  it('is in POOLRUN_CACHE_DIR, else XDG_CACHE_HOME, else ~/.cache, else the temporary directory', () => {
    const { dir } = tempSpace()
    const home = { HOME: `${dir}/home` }
    const xdg = { ...home, XDG_CACHE_HOME: `${dir}/xdg` }
    expect(sharedFolder({ ...xdg, POOLRUN_CACHE_DIR: `${dir}/own` })).toBe(`${dir}/own/jobs`)
    expect(sharedFolder(xdg)).toBe(`${dir}/xdg/poolrun/jobs`)
    expect(sharedFolder({ ...home, XDG_CACHE_HOME: 'relative', POOLRUN_CACHE_DIR: '' })).toBe(
      `${dir}/home/.cache/poolrun/jobs`,
    )
    expect(sharedFolder({ HOME: '/dev/null' })).toMatch(/poolrun-\d+\/jobs$/)
    // A relative HOME means nothing outside of one folder.
    const { homedir } = userInfo()
    for (const HOME of ['relative', '.', ''])
      expect(sharedFolder({ HOME })).toMatch(homedir === '/nonexistent' ? /^\// : homedir)
    expect(statSync(`${dir}/own/jobs`).mode & 0o777).toBe(0o700)
  })

  it('is not a folder in which others could put code', () => {
    const { path } = tempSpace()
    const folder = (name: string, baseMode: number, mode: number) => {
      mkdirSync(path(`${name}/jobs`), { recursive: true })
      chmodSync(path(name), baseMode)
      chmodSync(path(`${name}/jobs`), mode)
      return sharedFolder({ POOLRUN_CACHE_DIR: path(name) })
    }
    expect(folder('mine', 0o755, 0o755)).toBe(path('mine/jobs'))
    expect(folder('sticky', 0o1777, 0o700)).toBe(path('sticky/jobs'))
    expect(folder('writable', 0o755, 0o777)).toBeUndefined()
    expect(folder('below-writable', 0o777, 0o755)).toBeUndefined()
    // Another user may have created the link.
    mkdirSync(path('link'))
    symlinkSync(path('mine/jobs'), path('link/jobs'))
    expect(sharedFolder({ POOLRUN_CACHE_DIR: path('link') })).toBeUndefined()
  })

  it.runIf(process.getuid?.() === 0)('is not a folder of another user', () => {
    const { path } = tempSpace()
    mkdirSync(path('base/jobs'), { recursive: true })
    expect(sharedFolder({ POOLRUN_CACHE_DIR: path('base') })).toBe(path('base/jobs'))
    chownSync(path('base/jobs'), 1234, 1234)
    expect(sharedFolder({ POOLRUN_CACHE_DIR: path('base') })).toBeUndefined()
  })
})

describe('isTrusted', () => {
  const me = process.getuid?.() ?? 0
  const other = me + 4242
  it.each([
    ['folder', me, 0o755, true],
    ['folder', 0, 0o755, true],
    ['folder', other, 0o755, false],
    ['folder', me, 0o775, false],
    ['folder', me, 0o757, false],
    ['base', me, 0o775, true],
    ['base', me, 0o777, false],
    ['base', me, 0o1777, true],
    ['base', other, 0o755, false],
  ] as const)('of a %s owned by uid %i with mode %o is %s', (role, uid, mode, trusted) => {
    expect(isTrusted({ uid, mode, isDirectory: () => true }, role)).toBe(trusted)
  })

  it('refuses what is not a directory', () => {
    expect(isTrusted({ uid: me, mode: 0o700, isDirectory: () => false }, 'folder')).toBe(false)
  })
})
