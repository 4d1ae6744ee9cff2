// JSON array or NDJSON, by the first bytes of an input.
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/errors/classes.js'
import { detect } from '../../../src/read/detect.js'
import { InputBuffer } from '../../../src/read/input-buffer.js'

function bufferOf(text: string | Buffer, ended: boolean): InputBuffer {
  const buffer = new InputBuffer()
  buffer.grew(Buffer.from(text as string).copy(buffer.room()))
  buffer.ended = ended
  return buffer
}

describe('detect', () => {
  test.each([
    ['[', 'json'],
    ['[1, 2]', 'json'],
    [' \r\n\t [', 'json'],
    ['{', 'ndjson'],
    ['"', 'ndjson'],
    ['{ bad', 'ndjson'],
    ['1\n', 'ndjson'],
    ['-1.5e3 \n', 'ndjson'],
    ['true\n[', 'ndjson'],
    ['null\r\n', 'ndjson'],
    ['\n\n 7\n', 'ndjson'],
  ])('recognises %j as %s while the input goes on', (text, format) => {
    expect(detect(bufferOf(text, false), 'in')).toBe(format)
    expect(detect(bufferOf(text, true), 'in')).toBe(format)
  })

  test.each([
    ['', 'ndjson'],
    [' \n ', 'ndjson'],
    ['1', 'ndjson'],
    ['false', 'ndjson'],
  ])('needs more bytes after %j, unless the input has ended', (text, format) => {
    expect(detect(bufferOf(text, false), 'in')).toBeUndefined()
    expect(detect(bufferOf(text, true), 'in')).toBe(format)
  })

  test.each<[string, string | Buffer, string]>([
    ['a word', 'hello\n', 'in:1:1'],
    ['a word that begins like JSON', 'fine, thanks\n', 'in:1:1'],
    ['a date', '2024-06-01 12:00\n', 'in:1:1'],
    ['a word after blank lines', '\n\n  hello\n', 'in:3:3'],
    ['binary data', Buffer.from([0x89, 0x50, 0x4e, 0x47]), 'in:1:1'],
  ])('refuses %s with its location and a hint', (_, text, location) => {
    let thrown: unknown
    try {
      detect(bufferOf(text, true), 'in')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(InputError)
    expect((thrown as InputError).message).toMatch(/^[^:]+:\d+:\d+: .*not JSON.*--input-format lines$/)
    expect((thrown as InputError).message).toContain(`${location}: `)
  })

  test.each([
    ['{\n  "items": [1, 2],\n  "n": 2\n}\n', "for the array in it, use: jq -c '.items[]' | poolrun …"],
    ['\n{\r\n  "a": 1\r\n}\r\n{\r\n', 'for one line per value, use: jq -c . | poolrun …'],
  ])('refuses a document over several lines with a hint: %j', (text, hint) => {
    for (const ended of [true, false])
      expect(() => detect(bufferOf(text, ended), 'in')).toThrow(
        `item 0: this is JSON over several lines, not one value per line; ${hint}`,
      )
  })

  test('refuses binary data without waiting for a line end', () => {
    expect(() => detect(bufferOf(Buffer.from([0x00, 0x01]), false), 'in')).toThrow(InputError)
  })

  test('waits for no more than the beginning of a long first line', () => {
    expect(detect(bufferOf('1'.repeat(70_000), false), 'in')).toBe('ndjson')
    expect(detect(bufferOf(`${'1'.repeat(65_535)}.5\n`, false), 'in')).toBe('ndjson')
    expect(() => detect(bufferOf(`2024-01-31 ${'x'.repeat(70_000)}`, false), 'in')).toThrow('not JSON')
    expect(() => detect(bufferOf('true'.repeat(20_000), false), 'in')).toThrow('not JSON')
  })

  test('takes nothing but white space', () => {
    const buffer = bufferOf('  7\n', true)
    detect(buffer, 'in')
    expect(buffer.unread.toString()).toBe('7\n')
  })
})
