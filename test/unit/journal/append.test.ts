import { describe, expect, it } from 'vitest'
import { append, appendBytes, appendHex, appendInteger, part } from '../../../src/journal/append.js'
import fc from '../../helpers/fast-check.js'

const AT = 5

/** What a function has appended behind five other bytes. */
function appended(fill: (bytes: Buffer, view: DataView) => number): string {
  const bytes = Buffer.alloc(256, '.')
  const end = fill(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
  expect(bytes.toString('latin1', 0, AT)).toBe('.....')
  return bytes.toString('latin1', AT, end)
}

describe('what is appended is', () => {
  it.each(['', '1', '1234', '12345', '12345678901', '123456789012'])('the part %o', (text) => {
    expect(appended((_, view) => append(view, AT, part(text)))).toBe(text)
  })

  it('a number of 32 bits as eight digits', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const digits = (value >>> 0).toString(16).padStart(8, '0')
        expect(appended((_, view) => appendHex(view, AT, value))).toBe(digits)
      }),
    )
  })

  it('an integer as JavaScript writes it', () => {
    const integers = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 9, 10, 2 ** 31 - 1, 2 ** 31))
    fc.assert(
      fc.property(integers, (value) => {
        expect(appended((bytes) => appendInteger(bytes, AT, value))).toBe(String(value))
      }),
    )
  })

  it.each([0, 1, 31, 32, 200])('%i bytes of others', (count) => {
    const from = Buffer.alloc(count + 7, 'abcdefg')
    expect(appended((bytes) => appendBytes(bytes, AT, from, 3, count + 3))).toBe(
      from.toString('latin1', 3, count + 3),
    )
  })
})

it('a part of more than twelve bytes is refused', () => {
  expect(() => part('1234567890123')).toThrow(RangeError)
})
