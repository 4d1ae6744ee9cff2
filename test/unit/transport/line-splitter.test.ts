// A worker's output as lines, and the item that each line belongs to.
import { describe, expect, test } from 'vitest'
import { OUTPUT_MARK, outputMarker } from '../../../src/ipc/protocol.js'
import { createLineSplitter, lastLines } from '../../../src/transport/line-splitter.js'
import { SEEDS, seeded } from '../policy/seeded.js'

const TOKEN = '0123456789abcdef'
type Line = [line: string, index: number | undefined]

/** The lines of `parts`, which are pushed one by one. */
function split(...parts: (string | Uint8Array)[]): Line[] {
  const lines: Line[] = []
  const splitter = createLineSplitter(TOKEN, (text, index) => {
    for (const line of text.split('\n')) lines.push([line, index])
  })
  for (const part of parts) splitter.push(typeof part === 'string' ? Buffer.from(part) : part)
  splitter.end()
  return lines
}

const plain = (...lines: string[]): Line[] => lines.map((line) => [line, undefined])
const mark = (index: number | 'none') => outputMarker(TOKEN, index)

describe('lines', () => {
  test('end with LF or CRLF, and empty ones are lines too', () => {
    expect(split('a\r\n\nb\n')).toEqual(plain('a', '', 'b'))
  })

  test('keep a CR inside, as progress bars use it', () => {
    expect(split('10%\r20%\n')).toEqual(plain('10%\r20%'))
  })

  test('without a line end are emitted when the stream ends', () => {
    expect(split('a\nb')).toEqual(plain('a', 'b'))
    expect(split('')).toEqual([])
  })

  test('are emitted as soon as they are complete', () => {
    const lines: string[] = []
    const splitter = createLineSplitter(TOKEN, (line) => lines.push(line))
    splitter.push(Buffer.from('a\nb'))
    expect(lines).toEqual(['a'])
  })

  test('are read from a Buffer, a view of other memory and a Uint8Array', () => {
    expect(split(Buffer.from('xxa\nxx').subarray(2, 4))).toEqual(plain('a'))
    expect(split(Uint8Array.from([0xc3]), Uint8Array.from([0xa4, 0x0a]))).toEqual(plain('ä'))
    expect(split(Uint8Array.from([0xff, 0x0a]))).toEqual(plain('\ufffd'))
  })

  test('without markers between them are one text', () => {
    const texts: Line[] = []
    const splitter = createLineSplitter(TOKEN, (text, index) => texts.push([text, index]))
    splitter.push(Buffer.from('a\r\n\r\n\nb\r\r\nc\r\nd'))
    splitter.push(Buffer.from(`\n${mark(3)}e\n`))
    splitter.push(Buffer.from('f\ng\n'))
    expect(texts).toEqual([
      ['a\n\n\nb\r\nc', undefined],
      ['d', undefined],
      ['e', 3],
      ['f\ng', 3],
    ])
  })

  test.each(SEEDS)('do not depend on where the bytes are split (seed %i)', (seed) => {
    const random = seeded(seed)
    const text = `one\r\n\nzwei äöü 💥\n${mark(3)}three${mark(4)}\n${mark('none')}\0 no mark\nlast`
    const bytes = Buffer.from(text)
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random.int(6)
      parts.push(bytes.subarray(at, at + length))
      at += length
    }
    expect(split(...parts)).toEqual([
      ['one', undefined],
      ['', undefined],
      ['zwei äöü 💥', undefined],
      ['three', 3],
      ['', 4],
      ['\0 no mark', undefined],
      ['last', undefined],
    ])
  })
})

describe('a very long line', () => {
  test('is passed on in pieces, with nothing lost and only the last piece held back', () => {
    let emitted = 0
    const pieces: string[] = []
    const splitter = createLineSplitter(TOKEN, (line) => {
      pieces.push(line)
      emitted += line.length
    })
    const part = 'x💥'.repeat(1_000)
    for (let n = 1; n <= 100; n++) {
      splitter.push(Buffer.from(part))
      expect(n * part.length - emitted).toBeLessThanOrEqual(64 * 1024 + part.length)
    }
    splitter.end()
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('')).toBe(part.repeat(100))
  })

  test('keeps a CR at the end of a piece', () => {
    const text = `${'x'.repeat(70_000)}\r`
    expect(
      split(text, 'y\n')
        .map(([line]) => line)
        .join(''),
    ).toBe(`${text}y`)
  })

  test.each([1, 8, 12, 20, 27])(
    'does not split the marker after it, of which %d characters have arrived',
    (length) => {
      const marker = mark(12)
      const lines = split('x'.repeat(70_000) + marker.slice(0, length), `${marker.slice(length)}after\n`)
      expect(lines.at(-1)).toEqual(['after', 12])
      expect(
        lines
          .slice(0, -1)
          .map(([line]) => line)
          .join(''),
      ).toBe('x'.repeat(70_000))
      for (const [, index] of lines.slice(0, -1)) expect(index).toBeUndefined()
    },
  )
})

describe('markers', () => {
  test('set the item of the lines that follow and are not emitted', () => {
    expect(split(`${mark(0)}a\nb\n${mark(17)}c\n${mark('none')}d\n`)).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 17],
      ['d', undefined],
    ])
  })

  test('after text without a line end leave that text to the previous item', () => {
    expect(split(`${mark(1)}no newline${mark(2)}b\n`)).toEqual([
      ['no newline', 1],
      ['b', 2],
    ])
  })

  test('with another token, or without one, are ordinary text', () => {
    const forged = outputMarker('another', 5).slice(0, -1)
    expect(split(`${mark(1)}${forged}\n${OUTPUT_MARK}9\n${OUTPUT_MARK}\n`)).toEqual([
      [forged, 1],
      [`${OUTPUT_MARK}9`, 1],
      [OUTPUT_MARK, 1],
    ])
  })
})

describe('lastLines', () => {
  test.each<[string, number, string[]]>([
    ['a\nb\nc', 2, ['b', 'c']],
    ['a\nb\nc', 3, ['a', 'b', 'c']],
    ['a\nb\nc', 10, ['a', 'b', 'c']],
    ['a\n\n', 2, ['', '']],
    ['\n\n', 3, ['', '', '']],
    ['\n\n', 9, ['', '', '']],
    ['', 3, ['']],
  ])('of %j, %i at most', (text, most, lines) => {
    expect(lastLines(text, most)).toEqual(lines)
  })
})
