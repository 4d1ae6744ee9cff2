import { describe, expect, test } from 'vitest'
import { brokenBuiltin } from '../../../src/worker/builtins.js'

/** Asks what is broken while a property is replaced, and puts it back before anything else runs. */
function brokenWith(owner: object, name: PropertyKey, value: unknown): string | undefined {
  const before = Object.getOwnPropertyDescriptor(owner, name)!
  const { defineProperty } = Object
  defineProperty(owner, name, { ...before, value })
  try {
    return brokenBuiltin()
  } finally {
    // Puts back the original as what is known to work, too.
    defineProperty(owner, name, before)
    brokenBuiltin()
  }
}

const owners: Readonly<Record<string, readonly [owner: object, names: readonly PropertyKey[]]>> = {
  array: [
    Array.prototype,
    [
      'push',
      'shift',
      'splice',
      'map',
      'flatMap',
      'filter',
      'find',
      'findIndex',
      'slice',
      'some',
      'join',
      Symbol.iterator,
    ],
  ],
  arrayIterator: [Object.getPrototypeOf([][Symbol.iterator]()), ['next']],
  string: [String.prototype, ['slice', 'split', 'indexOf', 'charCodeAt']],
  function: [Function.prototype, ['call', 'apply']],
  map: [Map.prototype, ['get', 'set', 'delete']],
  mapIterator: [Object.getPrototypeOf(new Map()[Symbol.iterator]()), ['next']],
  set: [Set.prototype, ['add', 'has', 'delete']],
}
const all = Object.values(owners).flatMap(([owner, names]) =>
  names.map((name) => [String(name), owner as Record<PropertyKey, unknown>, name] as const),
)

describe('a builtin', () => {
  test('works as long as nothing is replaced', () => {
    expect(brokenBuiltin()).toBeUndefined()
  })

  test.each(all)('%s is broken if it does nothing, or throws', (_, owner, name) => {
    expect(brokenWith(owner, name, () => undefined)).toEqual(expect.any(String))
    const throws = () => {
      throw new Error('replaced')
    }
    expect(brokenWith(owner, name, throws)).toEqual(expect.any(String))
    expect(brokenBuiltin()).toBeUndefined()
  })

  test.each(all)('%s may be replaced by something that works', (_, owner, name) => {
    const original = owner[name] as (...args: unknown[]) => unknown
    const { apply } = Reflect
    const wrapper = function (this: unknown, ...args: unknown[]) {
      return apply(original, this, args)
    }
    expect(brokenWith(owner, name, wrapper)).toBeUndefined()
  })

  test.each(all)('%s works again once it was found to be broken', (_, owner, name) => {
    const original = Object.getOwnPropertyDescriptor(owner, name)
    Object.defineProperty(owner, name, { ...original, value: () => undefined })
    brokenBuiltin()
    expect(Object.getOwnPropertyDescriptor(owner, name)).toEqual(original)
  })

  test('is named', () => {
    expect(brokenWith(Array.prototype, 'push', () => 0)).toBe('Array.prototype.push')
    expect(brokenWith(Array.prototype, Symbol.iterator, function* () {})).toBe(
      'Array.prototype[Symbol.iterator]',
    )
  })
})
