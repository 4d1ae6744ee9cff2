import { describe, expect, test } from 'vitest'
import { FrameReader, frameOf, UNREADABLE } from '../../../src/ipc/frames.js'

const TOKEN = '00112233445566778899aabbccddeeff'
const OTHER = 'ff112233445566778899aabbccddee00'
const MESSAGES = [
  { type: 'a' },
  { type: 'b', values: [1, 'x'.repeat(500)] },
  { type: 'c', bytes: Buffer.from('é') },
]

function read(bytes: Buffer, size: number, token: string | undefined = TOKEN) {
  const messages: unknown[] = []
  const reader = new FrameReader(token, (message) => messages.push(message))
  let isIntact = true
  for (let at = 0; at < bytes.length; at += size) isIntact = reader.push(bytes.subarray(at, at + size))
  return { messages, isIntact }
}

const stream = Buffer.concat(MESSAGES.map((message) => frameOf(TOKEN, message)))

describe('frames', () => {
  test.each([1, 2, 3, 19, 20, 21, 64, stream.length])('are read from pieces of %d bytes', (size) => {
    expect(read(stream, size)).toEqual({ messages: MESSAGES, isIntact: true })
  })

  test('show their token to a reader that does not know it', () => {
    expect(read(stream, 7, undefined)).toEqual({ messages: MESSAGES, isIntact: true })
    const foreign = Buffer.concat([stream, frameOf(OTHER, {})])
    expect(read(foreign, 7, undefined)).toEqual({ messages: MESSAGES, isIntact: false })
  })

  test('refuse what structured clone refuses', () => {
    expect(() => frameOf(TOKEN, { value: () => 1 })).toThrow('could not be cloned')
  })

  test('with a body that cannot be deserialized are one unreadable message', () => {
    const broken = frameOf(TOKEN, { type: 'x' })
    broken.fill(0xee, 20)
    expect(read(Buffer.concat([broken, stream]), 5)).toEqual({
      messages: [UNREADABLE, ...MESSAGES],
      isIntact: true,
    })
    const empty = broken.subarray(0, 20)
    empty.writeUInt32LE(0, 16)
    expect(read(Buffer.concat([empty, stream]), 5).messages).toEqual([UNREADABLE, ...MESSAGES])
  })
})

describe('what is no frame', () => {
  test.each([
    ['the length of a huge frame', Buffer.from([0x80, 0, 0, 0])],
    ['one byte', Buffer.from([1])],
    ['half a frame of another token', frameOf(OTHER, MESSAGES[1]!).subarray(0, 30)],
    ['a frame of Node', Buffer.from([0, 0, 0, 4, 0xff, 0x0f, 0x49, 0x02])],
  ])('is noticed at once between two frames: %s', (_name, garbage) => {
    const before = frameOf(TOKEN, MESSAGES[0]!)
    for (const size of [1, 16, 1000]) {
      const { messages, isIntact } = read(Buffer.concat([before, garbage]), size)
      expect(messages).toEqual([MESSAGES[0]])
      expect(isIntact).toBe(false)
    }
  })

  test('is noticed with the next frame if it begins as one', () => {
    const half = frameOf(TOKEN, MESSAGES[1]!).subarray(0, 9)
    expect(read(Buffer.concat([half, stream]), 1000)).toEqual({ messages: [], isIntact: false })
  })

  test('ends the reading: a frame after it is not taken', () => {
    expect(read(Buffer.concat([Buffer.from([1]), stream]), 1000)).toEqual({ messages: [], isIntact: false })
  })
})
