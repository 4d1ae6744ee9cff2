// Estimates of how many bytes a value takes on the wire.
import { serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { NUMBER_BYTES, SizeEstimate } from '../../../../src/pool/sources/size-estimate.js'

describe('SizeEstimate', () => {
  test('has no mean before the first value', () => {
    expect(new SizeEstimate().mean).toBeUndefined()
  })

  test.each([
    ['a number', 5, NUMBER_BYTES],
    ['null', null, NUMBER_BYTES],
    ['undefined', undefined, NUMBER_BYTES],
    ['a string', 'x'.repeat(1_000), 1_000 + NUMBER_BYTES],
    ['bytes', new Uint8Array(1_000), 1_000 + NUMBER_BYTES],
    ['an object', { a: [1, 'b'] }, serialize({ a: [1, 'b'] }).byteLength],
    ['a flat object', { a: 'x'.repeat(1_000), bc: 1, d: null }, 1_000 + 2 + 3 + 4 + 3 + 3 * NUMBER_BYTES],
    ['an empty object', {}, NUMBER_BYTES],
    ['a Map', new Map([['a', 'x'.repeat(1_000)]]), serialize(new Map([['a', 'x'.repeat(1_000)]])).byteLength],
    [
      'an object with much inside',
      { a: 'b', c: ['x'.repeat(1_000)] },
      serialize({ a: 'b', c: ['x'.repeat(1_000)] }).byteLength,
    ],
    ['an object that cannot be cloned', { f() {} }, NUMBER_BYTES],
    [
      'an object that throws',
      {
        get a(): never {
          throw new Error('no')
        },
      },
      NUMBER_BYTES,
    ],
  ])('measures %s', (_, value, bytes) => {
    const estimate = new SizeEstimate()
    expect(estimate.add(value)).toBe(bytes)
    expect(estimate.mean).toBe(bytes)
  })

  test('measures the first objects and then only a sample', () => {
    const estimate = new SizeEstimate()
    let reads = 0
    const counting = () => ({
      get a() {
        reads++
        return 1
      },
    })
    for (let i = 0; i < 200; i++) estimate.add(counting())
    expect(reads).toBe(4 + 3)
  })

  test('adds numbers together as if they came one by one', () => {
    const [together, oneByOne] = [new SizeEstimate(), new SizeEstimate()]
    for (const estimate of [together, oneByOne]) estimate.add('x'.repeat(10_000))
    together.addNumbers(10)
    for (let i = 0; i < 10; i++) oneByOne.add(i)
    expect(together.mean).toBeCloseTo(oneByOne.mean!, 6)
  })
})
