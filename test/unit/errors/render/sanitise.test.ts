// Text that a job can put into a message, and what a terminal or a CI log may receive of it.
import { describe, expect, test } from 'vitest'
import { previewText, sanitise, sanitiseLines } from '../../../../src/errors/render/sanitise.js'

describe('sanitise', () => {
  test.each([
    ['colours', 'a\x1b[31mred\x1b[0m b', 'ared b'],
    ['cursor movement with the 8-bit introducer', 'a\x9b2Kb', 'ab'],
    ['a window title', 'a\x1b]0;title\x07b', 'ab'],
    ['a link', '\x1b]8;;https://x.y\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['a device control string', 'a\x1bPq#0\x1b\\b', 'ab'],
    ['a reset', 'a\x1bcb', 'ab'],
    ['an unterminated title, whose text stays', 'a\x1b]0;kept\nnext', 'a0;kept\nnext'],
    ['a lone escape at the end', 'a\x1b', 'a'],
  ])('drops %s', (_, text, harmless) => {
    expect(sanitise(text)).toBe(harmless)
  })

  test.each([
    ['bell, backspace, NUL, DEL', '\x07\b\0\x7f', '\\x07\\x08\\x00\\x7f'],
    ['C1', '\x85\x90', '\\x85\\x90'],
    ['a bare carriage return', 'ok\rno', 'ok\\rno'],
    ['overrides of direction', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ])('escapes %s', (_, text, visible) => {
    expect(sanitise(text)).toBe(visible)
  })

  test.each([
    ['GitHub command at the start of a line', 'x\n  ::error file=a::b', 'x\n  \\::error file=a::b'],
    ['GitHub command without parameters', '::add-mask::b', '\\::add-mask::b'],
    ['old GitHub, Azure or TeamCity command anywhere', 'a ##[error]b ##vso[x]', 'a #\\#[error]b #\\#vso[x]'],
  ])('disarms a %s', (_, text, harmless) => {
    expect(sanitise(text)).toBe(harmless)
  })

  test.each([
    'plain',
    'tab\tand\nline',
    'ünïcödé 漢字 العربية עברית \u200f',
    '👩‍👩‍👧 e\u0301',
    'std::vector::x ## heading',
    '\ud800',
  ])('does not change %j', (text) => {
    expect(sanitise(text)).toBe(text)
  })

  test('turns CRLF into LF', () => {
    expect(sanitise('a\r\nb')).toBe('a\nb')
  })

  test('takes linear time for hostile text', () => {
    const texts = ['\x1b]', '\x9d', '\n', ' ', '::a ', '##', '\x1b['].map((unit) => unit.repeat(50_000))
    const start = performance.now()
    for (const text of texts) sanitise(text)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('sanitiseLines', () => {
  test.each([
    '',
    'a\nb',
    '\n\n',
    'a\r\nb\r',
    '::a::\nb',
    'a\n\x1b]0;title\nb\x07',
    '\x1b[\nm',
    'x ##\n[y]',
    'a\n ::b::',
  ])('does to %j what sanitise does to each of its lines', (text) => {
    expect(sanitiseLines(text)).toBe(text.split('\n').map(sanitise).join('\n'))
  })

  test('shows a CR that is not part of a line end', () => {
    expect(sanitiseLines('a\r\nb')).toBe('a\\r\nb')
  })
})

describe('previewText', () => {
  test('makes one line', () => {
    expect(previewText('a\nb\tc\r\nd', 60)).toBe('a\\nb\\tc\\nd')
  })

  test('keeps text that fits and truncates other text with an ellipsis', () => {
    expect(previewText('x'.repeat(60), 60)).toBe('x'.repeat(60))
    expect(previewText('x'.repeat(61), 60)).toBe(`${'x'.repeat(59)}…`)
  })

  test('does not split a surrogate pair', () => {
    expect(previewText(`${'x'.repeat(58)}👍👍`, 60)).toBe(`${'x'.repeat(58)}…`)
  })

  test('marks a huge text of mostly escape sequences as truncated', () => {
    expect(previewText('\x1b[31m'.repeat(1e5), 60)).toBe('…')
  })
})
