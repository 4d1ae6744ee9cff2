// The job's `input`: what counts as a schema, what a task receives in place of its item, and how a refusal reads.
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Checked, type Validate, validatorOf } from '../../../src/worker/validate.js'

/** A schema by hand: `validate` is all that counts. */
const schemaOf = (validate: (item: unknown) => unknown) => ({
  '~standard': { version: 1, vendor: 'test', validate },
})

const check = (schema: unknown, item: unknown): Checked | PromiseLike<Checked> =>
  (validatorOf(schema) as Validate)(item)

const refusedFor = (...issues: { message: string; path: string }[]) => ({
  refused: { kind: 'validation', issues },
})

describe('validatorOf', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a string', 'input'],
    ['a task', () => {}],
  ])('gives nothing for %s', (_, input) => {
    expect(validatorOf(input)).toBeUndefined()
  })

  test.each([
    ['an object', {}],
    ['an array', []],
    ['a schema of an older zod', { parse() {}, safeParse() {} }],
    ['an object whose validate is not a function', { '~standard': { validate: true } }],
  ])('throws for %s, which looks like a schema and is not one', (_, input) => {
    expect(() => validatorOf(input)).toThrow(TypeError)
    expect(() => validatorOf(input)).toThrow(/^the job exports 'input', which is no.* Standard Schema/)
  })

  test('accepts a schema that is a function', () => {
    const schema = Object.assign(
      () => {},
      schemaOf((value) => ({ value })),
    )
    expect(check(schema, 7)).toEqual({ item: 7 })
  })
})

describe('a validator', () => {
  test('passes on the value of the schema, not the item', () => {
    expect(
      check(
        schemaOf((item) => ({ value: [item] })),
        7,
      ),
    ).toEqual({ item: [7] })
  })

  test.each([undefined, null, 0, ''])('passes on %j as any other value', (value) => {
    expect(
      check(
        schemaOf(() => ({ value })),
        7,
      ),
    ).toEqual({ item: value })
  })

  test.each<[string, readonly unknown[] | undefined, string]>([
    ['no path', undefined, ''],
    ['an empty path', [], ''],
    ['a property', ['id'], 'id'],
    ['a property of a property', ['a', 'b'], 'a.b'],
    ['an element', [1], '[1]'],
    ['an element of a property', ['tags', 0], 'tags[0]'],
    ['path segments that are objects', [{ key: 'tags' }, { key: 0 }], 'tags[0]'],
    ['a property that is not an identifier', ['two words'], '["two words"]'],
  ])('refuses with %s', (_, path, text) => {
    const issues = [{ message: 'wrong', ...(path && { path }) }]
    expect(
      check(
        schemaOf(() => ({ issues })),
        7,
      ),
    ).toEqual(refusedFor({ message: 'wrong', path: text }))
  })

  test('keeps every issue, in order', () => {
    const issues = [{ message: 'one', path: ['a'] }, { message: 'two' }]
    expect(
      check(
        schemaOf(() => ({ issues })),
        7,
      ),
    ).toEqual(refusedFor({ message: 'one', path: 'a' }, { message: 'two', path: '' }))
  })

  test('waits for a schema that is asynchronous', async () => {
    const schema = schemaOf(async (item) => (item === 7 ? { value: 8 } : { issues: [{ message: 'no' }] }))
    expect(await check(schema, 7)).toEqual({ item: 8 })
    expect(await check(schema, 9)).toEqual(refusedFor({ message: 'no', path: '' }))
  })

  test('throws what the schema throws', async () => {
    const error = new RangeError('the schema is broken')
    const throwing = schemaOf(() => {
      throw error
    })
    expect(() => check(throwing, 7)).toThrow(error)
    await expect(
      check(
        schemaOf(() => Promise.reject(error)),
        7,
      ),
    ).rejects.toBe(error)
  })
})

describe.each<[string, unknown, object]>([
  [
    'zod',
    z.object({ id: z.coerce.number().int(), tags: z.array(z.string()).default([]) }),
    { id: 7, tags: [] },
  ],
  ['valibot', v.object({ id: v.pipe(v.union([v.string(), v.number()]), v.transform(Number)) }), { id: 7 }],
  [
    'valibot, asynchronous',
    v.pipeAsync(
      v.object({ id: v.number() }),
      v.checkAsync(async ({ id }) => id !== 13),
    ),
    { id: 7 },
  ],
  ['arktype', type({ id: 'number.integer' }), { id: 7 }],
])('%s', (_, schema, value) => {
  test('is a schema', async () => {
    expect(await check(schema, { id: 7 })).toEqual({ item: value })
    expect(await check(schema, {})).toMatchObject(refusedFor({ message: expect.any(String), path: 'id' }))
  })
})
