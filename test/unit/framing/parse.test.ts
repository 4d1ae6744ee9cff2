// Items of a payload as values.
import { expect, test } from 'vitest'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import { chunkOf, payloadOf } from './chunks.js'

test('readItems treats __proto__ as data and returns a bad item without affecting the others', () => {
  const items = readItems(payloadOf(chunkOf('ndjson', '{"__proto__":1}\n{\n\n[]', 3)))
  expect(Object.keys(items.next() as object)).toEqual(['__proto__'])
  expect(items.next()).toEqual(new BadItem('Unexpected end of JSON', 1))
  expect(items.next()).toEqual([])
})
