// Which source lines are shown with a failure, and when none are.
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

function errorAt(...locations: string[]): Extract<ErrorData, { type: 'error' }> {
  const frames = locations.map((location) => `    at task (${location})`).join('\n')
  return { type: 'error', name: 'Error', message: 'boom', frames, builtin: 'Error', props: {} }
}

function codeFrame(error: ErrorData, options: { color?: boolean; since?: number } = {}): string {
  return createCodeFrames({ color: false, since: CHANGED, ownFolders: ['/poolrun/dist'], ...options })(error)
}

describe('the code frame', () => {
  it('shows the line of the first frame and two lines before and after it', () => {
    expect(codeFrame(errorAt(`${file('a.ts')}:5:7`, `${file('b.ts')}:1:1`))).toBe(
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

  it('shows the job’s own code, not that of Node, poolrun or a package', () => {
    const inPackage = file('node_modules/left/index.js', 'not this\n')
    const locations = [
      'node:internal/x:1:1',
      '/poolrun/dist/worker.js:1:1',
      `${inPackage}:1:1`,
      `${file('a.ts')}:1:1`,
    ]
    expect(codeFrame(errorAt(...locations))).toContain('> 1 | const line1 = 1')
    expect(codeFrame(errorAt(`${inPackage}:1:1`))).toBe('')
  })

  it('shows the cause if the error itself has no location', () => {
    const error = { ...errorAt('node:fs:1:1'), cause: errorAt(`${file('a.ts')}:9:1`) }
    expect(codeFrame(error)).toContain('> 9 | const line9 = 9\n    | ^')
    expect(codeFrame({ type: 'thrown', preview: "'x'", typeName: 'string', cloned: true })).toBe('')
  })

  it('is left out if the file has changed since, was deleted, or is not a source file', () => {
    const path = file('a.ts')
    expect(codeFrame(errorAt(`${path}:1:1`), { since: CHANGED - 1 })).toBe('')
    expect(codeFrame(errorAt(`${folder}/deleted.ts:1:1`))).toBe('')
    expect(codeFrame(errorAt(`${file('passwd')}:1:1`))).toBe('')
    expect(codeFrame(errorAt(`${path}:99:1`))).toBe('')
    mkdirSync(join(folder, 'folder.ts'), { recursive: true })
    expect(codeFrame(errorAt(`${folder}/folder.ts:1:1`), { since: Number.POSITIVE_INFINITY })).toBe('')
    expect(codeFrame(errorAt('https://example.com/a.ts:1:1'))).toBe('')
  })

  it('is left out for generated code: large files, long lines', () => {
    expect(codeFrame(errorAt(`${file('long.js', `${'x;'.repeat(101)}\n`)}:1:1`))).toBe('')
    expect(codeFrame(errorAt(`${file('large.js', '// a line\n'.repeat(30_000))}:1:1`))).toBe('')
  })

  it('is sanitised', () => {
    const text = codeFrame(errorAt(`${file('bad.ts', 'ok\r\n"\u001b[2J\u0007"\n::error::x\n')}:2:1`))
    expect(text).toBe('  1 | ok\n> 2 | "\\x07"\n    | ^\n  3 | \\::error::x')
  })

  it('has colour if there is colour, and is the same otherwise', () => {
    const error = errorAt(`${file('a.ts')}:5:7`)
    const colored = codeFrame(error, { color: true })
    expect(colored).toContain('\u001b[')
    expect(stripVTControlCharacters(colored)).toBe(codeFrame(error))
  })
})
