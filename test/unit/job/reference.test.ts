// Resolving what a user writes to the file of a job module.
import { mkdirSync, symlinkSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { resolveJob } from '../../../src/job/reference.js'
import { tempSpace } from '../../helpers/temp-space.js'

/** A folder with these files. */
function project(files: Readonly<Record<string, string>>) {
  const { dir: root, path: file, write } = tempSpace()
  write(files)
  return { root, file }
}

describe('resolveJob', () => {
  it.each(['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs'])(
    'accepts a %s file as path, URL and file: string',
    (ending) => {
      const { root, file } = project({ [`job${ending}`]: '' })
      const wanted = file(`job${ending}`)
      expect(resolveJob(`job${ending}`, root)).toBe(wanted)
      expect(resolveJob(wanted, root)).toBe(wanted)
      expect(resolveJob(pathToFileURL(wanted), root)).toBe(wanted)
      expect(resolveJob(pathToFileURL(wanted).href, root)).toBe(wanted)
    },
  )

  it.each([
    ['job.js', 'job.ts'],
    ['job.js', 'job.tsx'],
    ['job.mjs', 'job.mts'],
    ['job.cjs', 'job.cts'],
  ])('resolves %s to %s if only that exists', (named, there) => {
    const { root, file } = project({ [there]: '' })
    expect(resolveJob(named, root)).toBe(file(there))
  })

  it('resolves .js to itself if it exists, even with a .ts beside it', () => {
    const { root, file } = project({ 'job.js': '', 'job.ts': '' })
    expect(resolveJob('job.js', root)).toBe(file('job.js'))
  })

  it.each([
    ['jobs/chek.ts', 'jobs/check.ts'],
    ['jobs/check', 'jobs/check.ts'],
    ['jobs/check.py', 'jobs/check.ts'],
    ['jobs/hceck.ts', 'jobs/check.ts'],
    ['jobs/Resise', 'jobs/resize.mjs'],
  ])('suggests a similar name in the folder of %s: %s', (named, meant) => {
    const { root } = project({ 'jobs/check.ts': '', 'jobs/resize.mjs': '', 'jobs/chek.txt': '' })
    expect(() => resolveJob(named, root)).toThrow(`job module not found: ${named} (did you mean ${meant}?)`)
  })

  it('says where it looked, and suggests nothing if no name is similar', () => {
    const { root, file } = project({ 'check.ts': '' })
    const message = (job: string | URL) => {
      try {
        return resolveJob(job, root)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message('other.ts')).toBe(`job module not found: other.ts; looked in ${root}`)
    expect(message('none/other.ts')).toBe(`job module not found: none/other.ts; looked in ${file('none')}`)
    expect(message('check.ts/x.ts')).toBe(
      `job module not found: check.ts/x.ts; looked in ${file('check.ts')}`,
    )
    expect(message(file('none/x.js'))).toBe(
      `job module not found: none/x.js; looked in ${file('none')} for x.js, x.ts, x.tsx`,
    )
    expect(message(pathToFileURL(file('y.mjs')))).toBe(
      `job module not found: y.mjs; looked in ${root} for y.mjs, y.mts`,
    )
    expect(message('chek.ts')).toBe(
      `job module not found: chek.ts (did you mean check.ts?); looked in ${root}`,
    )
  })

  it('rejects a directory, an unsupported extension and a URL that is not a file', () => {
    const { root } = project({ 'job.py': '' })
    mkdirSync(`${root}/dir.ts`)
    expect(() => resolveJob('dir.ts', root)).toThrow('dir.ts is a directory, not a job module')
    expect(() => resolveJob('job.py', root)).toThrow(
      'job.py is not a job module: its name must end in .ts .tsx .mts .cts .js .mjs .cjs',
    )
    expect(() => resolveJob(new URL('https://example.com/job.ts'), root)).toThrow(
      'https://example.com/job.ts is not the address of a local file',
    )
  })

  it('says why the system does not let it look', () => {
    const { root, file } = project({ 'job.ts': '' })
    symlinkSync('loop.ts', file('loop.ts'))
    const long = `${'x'.repeat(5_000)}.ts`
    expect(() => resolveJob('loop.ts', root)).toThrow('cannot read loop.ts: it is a loop of symbolic links')
    expect(() => resolveJob('job.ts/job.ts', root)).toThrow('not found: job.ts/job.ts')
    expect(() => resolveJob(long, root)).toThrow(`cannot read ${long}: its name is too long`)
  })

  it('rejects everything with a JobError', () => {
    const { root } = project({})
    for (const job of [
      'none.ts',
      root,
      new URL('data:text/javascript,1'),
      'file://host/%2F.ts',
      'nul\0.ts',
    ]) {
      expect(() => resolveJob(job, root)).toThrow(expect.objectContaining({ name: 'JobError' }))
    }
  })
})
