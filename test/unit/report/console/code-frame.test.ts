// Which lines of source a failure is shown with, and when none are.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'
import { createCodeFrames } from '../../../../src/report/console/code-frame.js'

const folder = mkdtempSync(join(tmpdir(), 'poolrun-code-frame-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SOURCE = `${Array.from({ length: 9 }, (_, i) => `const line${i + 1} = ${i + 1}`).join('\n')}\n`
const CHANGED = 1_000_000

function file(name: string, text = SOURCE): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  utimesSync(path, CHANGED / 1000, CHANGED / 1000)
  return path
}

function errorAt(...places: string[]): Extract<ErrorData, { type: 'error' }> {
  const frames = places.map((place) => `    at task (${place})`).join('\n')
  return { type: 'error', name: 'Error', message: 'boom', frames, builtin: 'Error', props: {} }
}

function excerpt(error: ErrorData, options: { color?: boolean; since?: number } = {}): string {
  return createCodeFrames({ color: false, since: CHANGED, ownFolders: ['/poolrun/dist'], ...options })(error)
}

describe('the excerpt', () => {
  it('shows the place of the first frame with two lines on either side', () => {
    expect(excerpt(errorAt(`${file('a.ts')}:5:7`, `${file('b.ts')}:1:1`))).toBe(
      [
        '  3 | const line3 = 3',
        '  4 | const line4 = 4',
        '> 5 | const line5 = 5',
        '    |       ^',
        '  6 | const line6 = 6',
        '  7 | const line7 = 7',
      ].join('\n'),
    )
  })

  it('is of the job’s own code: neither Node’s, nor poolrun’s, nor a package’s', () => {
    const inPackage = file('node_modules/left/index.js', 'not this\n')
    const places = [
      'node:internal/x:1:1',
      '/poolrun/dist/worker.js:1:1',
      `${inPackage}:1:1`,
      `${file('a.ts')}:1:1`,
    ]
    expect(excerpt(errorAt(...places))).toContain('> 1 | const line1 = 1')
    expect(excerpt(errorAt(`${inPackage}:1:1`))).toBe('')
  })

  it('is of the cause where the error has no place of its own', () => {
    const error = { ...errorAt('node:fs:1:1'), cause: errorAt(`${file('a.ts')}:9:1`) }
    expect(excerpt(error)).toContain('> 9 | const line9 = 9\n    | ^')
    expect(excerpt({ type: 'thrown', preview: "'x'", typeName: 'string', cloned: true })).toBe('')
  })

  it('is not shown of a file that was changed since, is gone, or is no source', () => {
    const path = file('a.ts')
    expect(excerpt(errorAt(`${path}:1:1`), { since: CHANGED - 1 })).toBe('')
    expect(excerpt(errorAt(`${folder}/gone.ts:1:1`))).toBe('')
    expect(excerpt(errorAt(`${file('passwd')}:1:1`))).toBe('')
    expect(excerpt(errorAt(`${path}:99:1`))).toBe('')
    mkdirSync(join(folder, 'folder.ts'), { recursive: true })
    expect(excerpt(errorAt(`${folder}/folder.ts:1:1`), { since: Number.POSITIVE_INFINITY })).toBe('')
    expect(excerpt(errorAt('https://example.com/a.ts:1:1'))).toBe('')
  })

  it('is not shown of what no person wrote: huge files, huge lines', () => {
    expect(excerpt(errorAt(`${file('long.js', `${'x;'.repeat(101)}\n`)}:1:1`))).toBe('')
    expect(excerpt(errorAt(`${file('large.js', '// a line\n'.repeat(30_000))}:1:1`))).toBe('')
  })

  it('is harmless, whatever the file holds', () => {
    const text = excerpt(errorAt(`${file('bad.ts', 'ok\r\n"\u001b[2J\u0007"\n::error::x\n')}:2:1`))
    expect(text).toBe('  1 | ok\n> 2 | "\\x07"\n    | ^\n  3 | \\::error::x')
  })

  it('has colour where there is colour, and says the same', () => {
    const error = errorAt(`${file('a.ts')}:5:7`)
    const painted = excerpt(error, { color: true })
    expect(painted).toContain('\u001b[')
    expect(stripVTControlCharacters(painted)).toBe(excerpt(error))
  })
})
