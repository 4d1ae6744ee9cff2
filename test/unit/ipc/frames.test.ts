import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { FrameReader, frameOfText, framesOf, UNREADABLE } from '../../../src/ipc/frames.js'

const TOKEN = '00112233445566778899aabbccddeeff'
const OTHER = 'ff112233445566778899aabbccddee00'
const MESSAGES = [
  { type: 'a' },
  { type: 'b', values: [1, 'x'.repeat(500)] },
  { type: 'c', bytes: Buffer.from('é') },
]

const frameOf = (token: string, message: object) =>
  Buffer.concat(framesOf(Buffer.from(token, 'hex'), message))

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

describe('frames of text', () => {
  const texts = ['{"type":"é"}', '[1]', `["${'x'.repeat(100_000)}"]`]
  const frames = texts.map((text) => Buffer.from(frameOfText(Buffer.from(TOKEN, 'hex'), text)))
  const all = Buffer.concat([...frames, stream, ...frames])
  const parsed = texts.map((text) => JSON.parse(text))

  test.each([1, 19, 21, 1_000, all.length])('are read from pieces of %d bytes', (size) => {
    expect(read(all, size)).toEqual({ messages: [...parsed, ...MESSAGES, ...parsed], isIntact: true })
  })

  test.each([5, 1_000])('that is not JSON are one unreadable message: pieces of %d bytes', (size) => {
    const broken = Buffer.from(frameOfText(Buffer.from(TOKEN, 'hex'), '{"a":'))
    expect(read(Buffer.concat([broken, stream]), size).messages).toEqual([UNREADABLE, ...MESSAGES])
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

describe('large typed arrays', () => {
  const bytes = Buffer.alloc(500_000, 'abcdefg')
  const large = { type: 'd', parts: [bytes, new Float64Array(3_000).fill(1.5), new Uint8Array(3)], bytes }
  const bytesOfAll = Buffer.concat([stream, frameOf(TOKEN, large), stream])
  /** As `toEqual` does, which is slow for many bytes. */
  const expectAll = (messages: readonly unknown[]) =>
    expect(isDeepStrictEqual(messages, [...MESSAGES, large, ...MESSAGES])).toBe(true)

  test('are written from where they are', () => {
    const frames = framesOf(Buffer.from(TOKEN, 'hex'), large)
    expect(frames).toHaveLength(5)
    expect(frames[1]!.buffer).toBe(bytes.buffer)
    expect(frames[4]!.length).toBeLessThan(500)
  })

  test.each([1_000, 65_536, 300_001, bytesOfAll.length])('are read from pieces of %d bytes', (size) => {
    const { messages, isIntact } = read(bytesOfAll, size)
    expectAll(messages)
    expect(isIntact).toBe(true)
    const { parts, bytes } = messages[3] as typeof large
    expect(parts[0]).toBe(bytes)
    for (const { buffer, byteLength } of parts.slice(0, 2)) expect(buffer.byteLength).toBe(byteLength)
  })

  test.each([1_000, 65_536, 300_001])(
    'are read straight into their own memory, %d bytes at a time',
    (size) => {
      const messages: unknown[] = []
      const reader = new FrameReader(TOKEN, (message) => messages.push(message))
      let reads = 0
      for (let at = 0; at < bytesOfAll.length; reads++) {
        const { room } = reader
        const next = bytesOfAll.subarray(at, at + Math.min(size, room?.length ?? 65_536))
        if (room === undefined) reader.push(next)
        else {
          room.set(next)
          reader.advance(next.length)
        }
        at += next.length
      }
      expectAll(messages)
      expect(reads).toBeGreaterThan(3)
    },
  )

  test('that were not sent make their message unreadable', () => {
    const frames = framesOf(Buffer.from(TOKEN, 'hex'), large)
    expect(read(Buffer.concat([...frames.slice(2), stream]), 1_000).messages).toEqual([
      UNREADABLE,
      ...MESSAGES,
    ])
  })
})

test('frames of many megabytes are read complete, into buffers of their own', () => {
  const bytes = Buffer.alloc(10_000_000, 'abcdefg')
  const { messages } = read(Buffer.concat([frameOf(TOKEN, { bytes }), stream]), 65_536)
  const [first, ...others] = messages as [{ bytes: Buffer }]
  expect([first.bytes.equals(bytes), first.bytes.buffer.byteLength]).toEqual([true, 10_000_000])
  expect(others).toEqual(MESSAGES)
})

describe('a frame that claims to be huge', () => {
  test.each([2 ** 31 - 1, 2 ** 32 - 1])('gets no memory for what has not arrived: %d', (length) => {
    const reader = new FrameReader(TOKEN, () => {})
    const head = Buffer.concat([Buffer.from(TOKEN, 'hex'), Buffer.alloc(4)])
    head.writeUInt32LE(length, 16)
    const before = process.memoryUsage().arrayBuffers
    for (const byte of head) reader.push(Buffer.from([byte]))
    for (let i = 0; i < 100; i++) {
      expect(reader.room).toBeUndefined()
      reader.push(Buffer.alloc(10_000))
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
  })
})
