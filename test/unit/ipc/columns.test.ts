// Objects that cross as columns arrive as structured clone would deliver them, or are not packed.
import { deserialize, serialize } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { fillByName, packObjects, unpackObjects } from '../../../src/ipc/columns.js'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'

/** The objects at the other end; `undefined` if structured clone has to write them. */
function received(values: readonly unknown[]): unknown[] | undefined {
  const packed = packObjects(values)
  return packed && unpackObjects(deserialize(serialize(packed)), values.length)
}

/** Tells also -0 from 0, a hole from `undefined`, and one order of properties from another. */
function expectAsCloned(actual: readonly unknown[] | undefined, values: readonly unknown[]): void {
  const expected = deserialize(serialize(values)) as object[]
  expect(actual?.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) {
    const object = actual![i] as object
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
    expect(Object.entries(Object.getOwnPropertyDescriptors(object))).toStrictEqual(
      Object.entries(Object.getOwnPropertyDescriptors(expected[i]!)),
    )
  }
}

const ANY_NAME = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toJSON',
    'a"b\\',
    `"'`,
    '\u2028',
    '\ud800',
    '',
    '0',
    '12',
    '-1',
  ),
)
const NUMBERS = [-0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 31, -(2 ** 31), 2 ** 53, 0.5]
/** What the values of one property are taken from. */
const KINDS: readonly fc.Arbitrary<unknown>[] = [
  fc.integer(),
  fc.oneof(fc.integer(), fc.double(), fc.constantFrom(...NUMBERS)),
  fc.boolean(),
  fc.oneof(fc.string(), fc.constantFrom('\ud800', 'é', '\0', 'x'.repeat(20))),
  fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.bigInt(), fc.constantFrom(null, undefined)),
]

const objectsOfOneShape = fc
  .uniqueArray(ANY_NAME, { minLength: 1, maxLength: 6 })
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.constantFrom(...KINDS)))))
  .chain((properties) =>
    fc.array(
      fc
        .tuple(...properties.map(([, kind]) => kind))
        .map((values) => Object.fromEntries(values.map((value, i) => [properties[i]![0], value]))),
      { minLength: 1, maxLength: 8 },
    ),
  )

describe('objects of one shape', () => {
  test('arrive as structured clone delivers them, whatever their names and values', () => {
    fc.assert(
      fc.property(objectsOfOneShape, (objects) => expectAsCloned(received(objects), objects)),
      { numRuns: runs(500) },
    )
  })

  test('arrive the same where no code may be made of text', () => {
    fc.assert(
      fc.property(objectsOfOneShape, (objects) => {
        const { names, columns } = packObjects(objects)!
        const cells = columns.map((column) =>
          column instanceof Uint8Array ? [...column].map((byte) => byte === 1) : column,
        )
        const filled = new Array<unknown>(objects.length)
        fillByName(filled, names, cells)
        expectAsCloned(filled, objects)
      }),
      { numRuns: runs(200) },
    )
  })

  test('arrive as structured clone delivers them, or are not packed, where any value may be in them', () => {
    const value = fc.anything({
      maxDepth: 1,
      withDate: true,
      withMap: true,
      withBigInt: true,
      withTypedArray: true,
    })
    const object = fc.dictionary(fc.constantFrom('a', 'b'), value, { noNullPrototype: false })
    const primitive = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.boolean(), fc.constant(null))
    const plain = { arbitrary: fc.record({ a: primitive, b: primitive }), weight: 4 }
    let packed = 0
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, object, value), { minLength: 1, maxLength: 3 }), (values) => {
        const actual = received(values)
        if (actual === undefined) return
        packed++
        expectAsCloned(actual, values)
      }),
      { numRuns: runs(1_000) },
    )
    expect(packed).toBeGreaterThan(runs(1_000) / 20)
  })

  class Point {
    x = 1
  }
  const withGetter = Object.defineProperty({ x: 1 }, 'y', { enumerable: true, get: () => 2 })
  test.each<[what: string, values: readonly object[]]>([
    ['a getter', [withGetter, withGetter]],
    ['a property that is not enumerable', [Object.defineProperty({ x: 1 }, 'y', { value: 2 })]],
    ['a property under a symbol', [{ x: 1, [Symbol('y')]: 2 }]],
    ['being frozen', [Object.freeze({ x: 1 })]],
    [
      'names and values of 64 properties',
      [Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`p${i}`, i]))],
    ],
    ['properties that were deleted and added', [deleted('x'), deleted('x')]],
  ])('may have %s', (_, values) => expectAsCloned(received(values), values))

  function deleted(name: string): object {
    const object: Record<string, unknown> = { [name]: 1, other: 2 }
    delete object[name]
    object[name] = 3
    return object
  }

  const proxy = new Proxy({ x: 1 }, {})
  const retyped = <T extends object>(object: T) =>
    Object.setPrototypeOf(Object.assign(object, { x: 1 }), Object.prototype) as T
  function args(..._: unknown[]): IArguments {
    // biome-ignore lint/complexity/noArguments: it is what is tested
    return arguments
  }
  const throwing = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  test.each<[what: string, values: readonly unknown[]]>([
    ['no objects', [{ x: 1 }, null]],
    ['arrays', [[1], [2]]],
    ['a class', [new Point(), new Point()]],
    ['no prototype', [Object.assign(Object.create(null), { x: 1 })]],
    ['objects of another realm', runInNewContext('[{ x: 1 }]')],
    ['no properties', [{}, {}]],
    ['another property', [{ x: 1 }, { y: 1 }]],
    ['one property more', [{ x: 1 }, { x: 1, y: 1 }]],
    ['one property less', [{ x: 1, y: 1 }, { x: 1 }]],
    [
      'another order',
      [
        { x: 1, y: 1 },
        { y: 1, x: 1 },
      ],
    ],
    ['more than 64 properties', [Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`p${i}`, i]))]],
    ['an object inside', [{ x: 1 }, { x: {} }]],
    ['a function inside', [{ x: 1 }, { x: () => 1 }]],
    ['a symbol inside', [{ x: Symbol('x') }]],
    ['a proxy', [{ x: 1 }, proxy]],
    ['arguments', [args(1), args(2)]],
    ['arguments with a name', [{ x: 1 }, Object.assign(args(), { x: 1 })]],
    ['an error without its prototype', [{ x: 1 }, retyped(new Error('e'))]],
    ['a date without its prototype', [{ x: 1 }, retyped(new Date(0))]],
    ['a getter that throws', [{ x: 1 }, throwing]],
  ])('are not packed with %s', (_, values) => {
    expect(received(values)).toBeUndefined()
  })

  test('do not get what all objects inherit', () => {
    const values = [{ x: 1, y: 1 }, { x: 1 }]
    Object.defineProperty(Object.prototype, 'y', { value: 1, enumerable: true, configurable: true })
    const actual = received(values)
    Reflect.deleteProperty(Object.prototype, 'y')
    expect(actual).toBeUndefined()
    expectAsCloned(received([{ x: 1, y: 1 }]), [{ x: 1, y: 1 }])
  })

  test('call no setter that a job has added to all objects or arrays', () => {
    const set = () => expect.unreachable()
    const owners = [Object.prototype, Array.prototype]
    try {
      for (const owner of owners)
        for (const name of ['x', 'y'])
          Object.defineProperty(owner, name, { set, get: () => undefined, configurable: true })
      const values = [{ x: 1, y: 'a' }]
      expect(received(values)).toEqual(values)
      const filled = new Array(1)
      fillByName(filled, ['x', 'y'], [[1], ['a']])
      expect(filled).toEqual(values)
    } finally {
      for (const owner of owners) for (const name of ['x', 'y']) Reflect.deleteProperty(owner, name)
    }
  })

  test('of more shapes than are kept are still themselves', () => {
    for (let i = 0; i < 250; i++) {
      const values = [{ [`p${i % 120}`]: i }, { [`p${i % 120}`]: i + 0.5 }]
      expect(received(values)).toEqual(values)
    }
  })
})

test.each<[what: string, columns: unknown]>([
  ['less', [[1, 2], [1]]],
  [
    'more',
    [
      [1, 2],
      [1, 2, 3],
    ],
  ],
  ['nothing', [[1, 2]]],
])('columns with %s than there are objects are malformed', (_, columns) => {
  expect(() => unpackObjects({ names: ['x', 'y'], columns: columns as never }, 2)).toThrow()
})
