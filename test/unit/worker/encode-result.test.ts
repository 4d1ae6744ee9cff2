import { describe, expect, test, vi } from 'vitest'
import { TOO_LONG } from '../../../src/framing/bytes.js'
import { checkLength, encodeJson } from '../../../src/worker/encode-result.js'
import { CARRIED, REFUSED, TOO_DEEP, WRITTEN_AS_NOTHING } from './hostile.js'

describe('what JSON carries', () => {
  test.each(CARRIED)('$what is written as JSON.stringify writes it', ({ make, text }) => {
    expect(encodeJson(make())).toEqual({ text })
  })

  test('a huge string is one text, on one line', () => {
    const encoded = encodeJson(`${'x'.repeat(5_000_000)}\n`)
    expect(encoded).toEqual({ text: `"${'x'.repeat(5_000_000)}\\n"` })
  })
})

describe('what JSON cannot carry', () => {
  test.each(REFUSED)('$what is refused, and its path is named', ({ make, path }) => {
    const encoded = encodeJson(make())
    if (!('unserializable' in encoded)) throw new Error(`was written as ${encoded.text}`)
    expect(encoded.unserializable.path).toBe(path)
    expect(encoded.unserializable.message).not.toBe('')
    expect(encoded.unserializable.preview.length).toBeLessThanOrEqual(200)
  })

  test('nesting that would overflow the stack is refused', () => {
    const encoded = encodeJson(TOO_DEEP())
    expect(encoded).toMatchObject({ unserializable: { message: 'nested more than 1000 levels deep' } })
  })

  test('a value whose every trap throws is refused without a throw', () => {
    const trap = () => {
      throw undefined
    }
    const proxy = new Proxy(
      {},
      { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap },
    )
    expect(encodeJson(proxy)).toMatchObject({ unserializable: { path: '' } })
  })
})

describe('what JSON would write as {} or as numbers', () => {
  test.each(WRITTEN_AS_NOTHING)('$what is refused, with its class', ({ make, message }) => {
    expect(encodeJson(make())).toEqual({
      unserializable: { path: '', message: expect.stringContaining(message), preview: expect.any(String) },
    })
  })

  test.each(WRITTEN_AS_NOTHING)('$what is refused inside a result, with its path', ({ make, message }) => {
    expect(encodeJson({ a: { f: [0, 1, make()] } })).toEqual({
      unserializable: {
        path: 'a.f[2]',
        message: expect.stringContaining(message),
        preview: expect.any(String),
      },
    })
  })

  test('a class that the job defines globally is data', () => {
    class Celsius {
      degrees = 20
    }
    vi.stubGlobal('Celsius', Celsius)
    try {
      expect(encodeJson(new Celsius())).toEqual({ text: '{"degrees":20}' })
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

test('a job that replaces JSON.stringify and Array.isArray changes nothing', () => {
  const { stringify } = JSON
  const { isArray } = Array
  try {
    JSON.stringify = () => 'mine'
    Array.isArray = (() => false) as unknown as typeof Array.isArray
    expect(encodeJson([1, { a: [2] }])).toEqual({ text: '[1,{"a":[2]}]' })
  } finally {
    JSON.stringify = stringify
    Array.isArray = isArray
  }
})

test('a result whose line is longer than a string can be is refused', () => {
  expect(checkLength('é'.repeat(5), 10)).toEqual({ text: 'é'.repeat(5) })
  const tooLong = { unserializable: { path: '', message: `its JSON is ${TOO_LONG}`, preview: '' } }
  expect(checkLength('é'.repeat(6), 10)).toEqual(tooLong)
})
