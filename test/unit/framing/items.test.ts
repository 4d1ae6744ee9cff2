// The text of one item of a payload.
import { expect, test } from 'vitest'
import { itemText } from '../../../src/framing/items.js'
import { chunkOf, payloadOf } from './chunks.js'

test('itemText returns the unchanged text without its line end', () => {
  expect(itemText(payloadOf(chunkOf('ndjson', '1\r\n\r\n {2 \r\n', 2)), 1)).toBe(' {2 ')
  expect(itemText(payloadOf(chunkOf('json', '1, [2 ,3] ,4', 3)), 1)).toBe('[2 ,3] ')
  expect(itemText(payloadOf(chunkOf('nul', 'a\0\r\0', 2)), 1)).toBe('\r')
  expect(itemText(payloadOf(chunkOf('lines', 'a', 1)), 1)).toBeUndefined()
})
