// The expression of `--eval` as a module: where its characters and its errors are.
import { SourceMap } from 'node:module'
import { expect, test } from 'vitest'
import { unwrapped, wrap } from '../../../src/job/expression.js'

const LONG = `${'x'.repeat(100)} =>\n  1\n`

test.each(['n => n', 'a\n  b', '', LONG])(
  'every character of %j is mapped to its own place',
  (expression) => {
    const module = wrap(expression, '/repo/--eval')
    const base64 = /base64,(.*)$/.exec(module)![1]!
    const map = new SourceMap(JSON.parse(Buffer.from(base64, 'base64').toString()))
    for (const [line, text] of expression.split('\n').entries())
      for (let column = 0; column <= text.length; column++)
        expect(map.findEntry(line + 1, column)).toMatchObject({
          originalSource: '--eval',
          originalLine: line,
          originalColumn: column,
        })
  },
)

test.each([
  ['inside it', 2, 4, { line: 1, column: 4 }],
  ['at the parenthesis behind it, to its end', 4, 0, { line: 2, column: 3, lineText: '  b' }],
])('an error is moved: %s', (_, line, column, expected) => {
  const location = { file: '--eval', namespace: '', line, column, length: 1, lineText: ')', suggestion: '' }
  const message: Parameters<typeof unwrapped>[0] = {
    id: '',
    pluginName: '',
    text: 'x',
    location,
    notes: [],
    detail: undefined,
  }
  expect(unwrapped(message, 'a\n  b').location).toMatchObject(expected)
  const elsewhere = { ...message, location: { ...location, file: 'lib/a.ts' } }
  expect(unwrapped(elsewhere, 'a\n  b')).toBe(elsewhere)
})
