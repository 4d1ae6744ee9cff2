// Frames as V8 writes them, against small compiled modules with their source maps.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatFrames, parseFrames } from '../../../../src/errors/render/frames.js'
import { originalLocation } from '../../../../src/errors/render/source-map.js'

/** What a compiler makes of two type declarations and, on the third line, this statement. */
const CODE = 'throw new Error("x");\n'
/** Columns 1 and 7 of line 1 come from columns 1 and 7 of line 3. */
const MAPPINGS = 'AAEA,MAAM'

let cwd: string

beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'poolrun-frames-')))
  mkdirSync(join(cwd, 'out dir'))
  const mapTo = (source: string, sourceRoot?: string) =>
    JSON.stringify({ version: 3, sources: [source], sourceRoot, mappings: MAPPINGS, names: [] })
  writeFileSync(join(cwd, 'out dir/beside.js'), CODE)
  writeFileSync(join(cwd, 'out dir/beside.js.map'), mapTo('../jobs/a b#c.ts'))
  writeFileSync(join(cwd, 'out dir/named.js'), `${CODE}//# sourceMappingURL=other%20name.json\n`)
  writeFileSync(join(cwd, 'out dir/other name.json'), mapTo('100%/root%20ed.ts', '../jobs'))
  const base64 = Buffer.from(mapTo('inline.ts')).toString('base64')
  writeFileSync(
    join(cwd, 'out dir/inline.js'),
    `"# sourceMappingURL=no.map"\n${CODE}//# sourceMappingURL=data:application/json;base64,${base64}`,
  )
  writeFileSync(
    join(cwd, 'out dir/text.js'),
    `${CODE}//# sourceMappingURL=data:application/json,${encodeURIComponent(mapTo('text.ts'))}`,
  )
  writeFileSync(join(cwd, 'out dir/broken.js.map'), '{ not json')
  writeFileSync(join(cwd, 'out dir/absent.js'), '//# sourceMappingURL=gone.map')
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const out = (name: string) => join(cwd, 'out dir', name)

describe('originalLocation', () => {
  test.each([
    ['a map beside the file', 'beside.js', 1, 'jobs/a b#c.ts'],
    ['a map that the last comment names, with a source root', 'named.js', 1, 'jobs/100%/root ed.ts'],
    ['a data: URL in base64', 'inline.js', 1, 'out dir/inline.ts'],
    ['a data: URL in plain text', 'text.js', 1, 'out dir/text.ts'],
  ])('maps by %s', (_, compiled, line, source) => {
    expect(originalLocation({ file: out(compiled), line, column: 7 })).toEqual({
      file: join(cwd, source),
      line: 3,
      column: 7,
    })
  })

  test.each([
    ['a line without a mapping', 'beside.js', 9],
    ['a broken map', 'broken.js', 1],
    ['a missing map', 'absent.js', 1],
    ['a missing file', 'never.js', 1],
    ['a folder', '', 1],
  ])('returns undefined for %s', (_, compiled, line) => {
    expect(originalLocation({ file: out(compiled), line, column: 1 })).toBeUndefined()
  })

  test('never reads a device or a pipe', () => {
    expect(originalLocation({ file: '/dev/zero', line: 1, column: 1 })).toBeUndefined()
  })
})

describe('formatFrames', () => {
  const url = (path: string) => pathToFileURL(join(cwd, path)).href
  const format = (lines: string[], options = {}) =>
    formatFrames(lines.map((line) => `    ${line}`).join('\n'), { cwd, ...options })

  test('maps locations, relative to the working directory, absolute outside of it', () => {
    expect(
      format([
        `at task (${url('out dir/beside.js')}:1:7)`,
        `at ${join(cwd, 'plain.js')}:2:3`,
        'at far (file:///elsewhere/a.js?v=1:4:5)',
      ]),
    ).toBe('\n    at task (jobs/a b#c.ts:3:7)\n    at plain.js:2:3\n    at far (/elsewhere/a.js:4:5)')
  })

  test('keeps async, new, methods, aliases, eval, native and locations that are not files', () => {
    expect(
      format([
        `at async Promise.all (index 0)`,
        `at async task (${url('a.js')}:1:2)`,
        `at async ${url('a.js')}:1:2`,
        `at new Box (${url('a.js')}:1:2)`,
        'at Array.map (<anonymous>)',
        'at JSON.parse (native)',
        `at Box.run [as go] (${url('(a).js')}:1:2)`,
        `at eval (eval at task (${url('out dir/beside.js')}:1:7), <anonymous>:1:1)`,
        'at evalmachine.<anonymous>:1:7',
        'at wasm-function[3] (wasm://wasm/abc:wasm-function[3]:0x1e)',
      ]).split('\n    '),
    ).toEqual([
      '',
      'at async Promise.all (index 0)',
      'at async task (a.js:1:2)',
      'at async a.js:1:2',
      'at new Box (a.js:1:2)',
      'at Array.map (<anonymous>)',
      'at JSON.parse (native)',
      'at Box.run [as go] ((a).js:1:2)',
      'at eval (eval at task (jobs/a b#c.ts:3:7), <anonymous>:1:1)',
      'at evalmachine.<anonymous>:1:7',
      'at wasm-function[3] (wasm://wasm/abc:wasm-function[3]:0x1e)',
    ])
  })

  const MIXED = () => [
    `at task (${url('job.js')}:1:2)`,
    'at new Promise (<anonymous>)',
    `at runItem (${url('own/worker.js')}:3:4)`,
    'at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
  ]

  test("drops poolrun's and Node's frames, with the built-ins they called", () => {
    expect(format(MIXED(), { ownFolders: [join(cwd, 'own')] })).toBe('\n    at task (job.js:1:2)')
  })

  test('keeps every frame for a full stack', () => {
    expect(format(MIXED(), { ownFolders: [join(cwd, 'own')], fullStack: true }).match(/\n/g)).toHaveLength(4)
  })

  test('returns nothing rather than internal frames only', () => {
    expect(format(MIXED().slice(1), { ownFolders: [join(cwd, 'own')] })).toBe('')
    expect(format([])).toBe('')
  })

  test('recognises the folders of this package by default', () => {
    expect(formatFrames(new Error('here').stack!.split('\n').slice(1).join('\n'))).toContain('frames.test.ts')
    expect(formatFrames(`    at own (${pathToFileURL('src/worker/main.js').href}:1:1)`)).toBe('')
    expect(formatFrames(`    at own (${pathToFileURL('dist/chunks/a.js').href}:1:1)`)).toBe('')
  })

  test('parseFrames returns the source location of each frame', () => {
    expect(parseFrames(`    at task (${url('out dir/beside.js')}:1:7)`, { cwd })).toEqual([
      {
        text: 'at task (jobs/a b#c.ts:3:7)',
        location: { file: join(cwd, 'jobs/a b#c.ts'), line: 3, column: 7 },
      },
    ])
  })

  test('uses column 1 for a frame without a column', () => {
    expect(format([`at ${url('a.mjs')}:3`])).toBe('\n    at a.mjs:3:1')
  })

  test('leaves lines that are not frames unchanged', () => {
    expect(format(['File "a.py", line 1'])).toBe('\n    File "a.py", line 1')
  })
})
