// The hint for a JSON document that is an object with its array inside.
import { expect, test } from 'vitest'
import { findInnerArray, jqCommand } from '../../../src/read/inner-array.js'
import { readAll, sourceOf } from './helpers.js'

test.each<[string, string[] | undefined]>([
  ['{"items":[1]}', ['items']],
  ['{"next": null, "n": [', ['n']],
  ['{"meta":{"tags":["a"]},"items":[1]}', ['items']],
  ['{"data":{"a":{"b":[1]},"rows":[{}]}}', ['data', 'rows']],
  ['{"text":"x: [1, \\"2\\"]","a b":\n[ ]}', ['a b']],
  ['{"text":"[","x":{"y":"}"},"z":[]}', ['z']],
  ['{"a":1}', undefined],
  ['{"a":"[1]"}', undefined],
  ['{"a', undefined],
  ['{', undefined],
])('findInnerArray: %s', (text, path) => {
  expect(findInnerArray(Buffer.from(text))).toEqual(path)
})

test.each([
  [['items'], 'x.json', "jq -c '.items[]' x.json"],
  [['data', 'rows'], 'my file.json', "jq -c '.data.rows[]' 'my file.json'"],
  [['a b', "it's"], undefined, `jq -c '.["a b"]["it'\\''s"][]'`],
  [['1'], 'x.json', `jq -c '.["1"][]' x.json`],
] as const)('jqCommand for %j of %s', (path, file, command) => {
  expect(jqCommand(path, file)).toBe(command)
})

test('the error for an object names its array', async () => {
  const { error } = await readAll(sourceOf('{\n "items": [1, 2]}', 'json'))
  expect(error).toBe(
    "in:1:1: expected a JSON array, which begins with '['; for the array in it, use: jq -c '.items[]' in | poolrun …",
  )
  expect((await readAll(sourceOf('{"a":1}\n{"a":2}', 'json'))).error).toContain('--input-format ndjson')
})
