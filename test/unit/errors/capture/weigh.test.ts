import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { weigh } from '../../../../src/errors/capture/weigh.js'
import { linkedList, selfCaused, wasmModule } from '../../../helpers/undecodable.js'

const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])

const cycle: unknown[] = []
cycle.push(cycle)

/** Branches into itself: a walk without a limit would visit 2 ** 90 parts. */
let bushy: unknown = {}
for (let level = 0; level < 90; level++) bushy = [bushy, bushy]

class Point {
  x = 1
  name = 'four'
}

describe('weigh', () => {
  test.each<[string, unknown, number]>([
    ['a text', 'four', 4],
    ['the texts of an object', { a: 'four', b: ['four', { c: 'four' }], d: 1n, e: null }, 12],
    ['the bytes of typed arrays and buffers', [new Float64Array(2), new ArrayBuffer(5)], 21],
    ['keys and values of a Map and a Set', [new Map([['four', 'four']]), new Set(['four'])], 12],
    ['an instance of a class', new Point(), 4],
    ['an error and its causes', new Error('m', { cause: new TypeError('m', { cause: 'four' }) }), 4],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 'four' }), 4],
    ['100 levels', linkedList(100), 0],
  ])('counts %s', (_what, value, bytes) => {
    expect(weigh(value)).toBe(bytes)
  })

  test.each<[string, unknown]>([
    ['102 levels', linkedList(102)],
    ['a list of 100,000 nodes', linkedList(100_000)],
    ['a cycle', cycle],
    ['a cycle in a Map', new Map([['k', cycle]])],
    ['a cycle in a key', new Map([[cycle, 1]])],
    ['an error that is its own cause', selfCaused()],
    ['one in a Set', new Set([1, selfCaused()])],
    ['a WebAssembly.Module', { a: wasmModule() }],
    ['one of another realm', runInNewContext('new WebAssembly.Module(bytes)', { bytes: EMPTY_WASM })],
    ['one without its prototype', Object.setPrototypeOf(wasmModule(), null)],
    ['an array with properties', Object.assign([1, 2], { extra: selfCaused() })],
    ['a value that branches into itself', bushy],
    ['a sparse array of 4 billion', new Array(2 ** 32 - 1)],
    [
      'a getter that throws',
      {
        get a() {
          throw new Error('no')
        },
      },
    ],
    ['a revoked proxy', revoked()],
  ])('is not certain that %s can be read', (_what, value) => {
    expect(weigh(value)).toBe(Number.POSITIVE_INFINITY)
  })
})

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
