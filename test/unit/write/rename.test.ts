// Whether a file can be replaced by a rename, and the rename.
import { describe, expect, test } from 'vitest'
import { canReplace, type Replacing, renameOver } from '../../../src/write/rename.js'

describe('canReplace', () => {
  const shared: Replacing = {
    isMounted: false,
    isFolderSticky: true,
    fileOwner: 1,
    folderOwner: 2,
    user: 3,
    mayActAsOwner: false,
  }
  test.each<[string, boolean, Partial<Replacing>]>([
    ['another user’s file in another user’s sticky folder', false, {}],
    ['another user’s file in another user’s folder', true, { isFolderSticky: false }],
    ['a file of one’s own', true, { user: 1 }],
    ['a file in a folder of one’s own', true, { user: 2 }],
    ['any file, as root', true, { user: 0, mayActAsOwner: true }],
    ['another user’s file, as root without its powers', false, { user: 0 }],
    ['a file where files have no owners', true, { user: undefined }],
    ['a mounted file', false, { isMounted: true, isFolderSticky: false, user: 1 }],
    ['a mounted file, as root', false, { isMounted: true, user: 0, mayActAsOwner: true }],
  ])('%s: %s', (_, expected, facts) => {
    expect(canReplace({ ...shared, ...facts })).toBe(expected)
  })
})

describe('renameOver', () => {
  /** A rename that fails a few times. */
  async function attempts(platform: NodeJS.Platform, code: string, failures: number) {
    let calls = 0
    let waitedMs = 0
    const failed = await renameOver('from', 'to', {
      platform,
      rename: async () => {
        if (calls++ < failures) throw Object.assign(new Error(code), { code })
      },
      wait: async (ms) => {
        waitedMs += ms
      },
    }).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    )
    return { calls, failed, waits: waitedMs > 0 }
  }

  test.each(['EPERM', 'EACCES', 'EBUSY'])(
    'on Windows waits for whoever has the file open: %s',
    async (code) => {
      expect(await attempts('win32', code, 3)).toEqual({ calls: 4, failed: undefined, waits: true })
      expect(await attempts('win32', code, 1000)).toEqual({ calls: 8, failed: code, waits: true })
    },
  )

  test('fails at the first other error, and on other systems', async () => {
    expect(await attempts('win32', 'EXDEV', 1)).toEqual({ calls: 1, failed: 'EXDEV', waits: false })
    expect(await attempts('linux', 'EPERM', 1)).toEqual({ calls: 1, failed: 'EPERM', waits: false })
  })
})
