import { expect, test } from 'vitest'
import { LineBytes } from '../../../src/worker/line-bytes.js'
import fc from '../../helpers/fast-check.js'
import { SEED } from '../../helpers/random.js'

const ofLength = (character: string, most: number) => fc.nat(most).map((length) => character.repeat(length))
const line = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary' }) },
  fc.constantFrom('', '\ud800', '\udc00', '😀'),
  // About a piece, about a message, and more.
  ofLength('x', 70_000),
  ofLength('é', 66_000),
  ofLength('€', 66_000),
  ofLength('😀', 70_000),
  fc.integer({ min: 65_530, max: 65_540 }).map((length) => 'x'.repeat(length)),
)

test('lines become the bytes of their text, however many and long they are', () => {
  fc.assert(
    fc.property(fc.array(fc.array(line, { maxLength: 12 }), { maxLength: 3 }), (messages) => {
      const lines = new LineBytes()
      const bytes = messages.map((message) => {
        for (const text of message) lines.add(text)
        return lines.take()
      })
      // What was taken before is not overwritten.
      for (const [i, message] of messages.entries()) {
        const expected = Buffer.from(message.map((text) => `${text}\n`).join(''))
        expect(bytes[i]!.equals(expected)).toBe(true)
      }
    }),
    { seed: SEED, numRuns: 50 },
  )
})
