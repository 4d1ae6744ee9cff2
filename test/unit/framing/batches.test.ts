// Payloads whose items are batches: arrays of several members.
import { describe, expect, test } from 'vitest'
import { TOO_LONG } from '../../../src/framing/bytes.js'
import { badRecord, itemRanges, itemText } from '../../../src/framing/items.js'
import { locate } from '../../../src/framing/location.js'
import { BadItem, readItems } from '../../../src/framing/parse.js'
import { sliceChunk } from '../../../src/framing/slice.js'
import type { Chunk, Framing } from '../../../src/model.js'
import { chunkOf, payloadOf } from './chunks.js'

function batched(framing: Framing, text: string | Buffer, batch: number, count: number): Chunk {
  const chunk = chunkOf(framing, text, count)
  return { ...chunk, payload: { ...payloadOf(chunk), batch } }
}

function valuesOf(chunk: Chunk): unknown[] {
  const items = readItems(payloadOf(chunk))
  return Array.from({ length: chunk.count + 1 }, () => items.next())
}

const SAME = [
  ['ndjson', '1\n\n [2]\r\n"3"\n4\n{"a":5}', [1, [2], '3', 4, { a: 5 }], '1,[2]'],
  ['ndjson in a piece of bad UTF-8', '1\n\n [2]\r\n"3"\n4\n{"a":5}', [1, [2], '3', 4, { a: 5 }], '1,[2]'],
  ['json', '1,\n[2],"3,",4 , {"a":5}', [1, [2], '3,', 4, { a: 5 }], '1,[2]'],
  ['lines', '1\r\n\n[2]\n3\n4\n5', ['1', '[2]', '3', '4', '5'], '"1","[2]"'],
  ['nul', '1\0\x003\n\x004\x005', ['1', '', '3\n', '4', '5'], '"1",""'],
  ['records', '{"a":"1"}\n{"a":"2"}\n{}\n4\n5\n', [{ a: '1' }, { a: '2' }, {}, 4, 5], '{"a":"1"},{"a":"2"}'],
] as const

test.each(SAME)('%s is read as arrays, the last one shorter', (name, text, members, first) => {
  const framing = name.split(' ')[0] as Framing
  const chunk = batched(framing, text, 2, 3)
  expect(valuesOf(chunk)).toEqual([members.slice(0, 2), members.slice(2, 4), members.slice(4), undefined])
  expect(itemText(payloadOf(chunk), 0)).toBe(`[${first}]`)
  expect([...itemRanges(payloadOf(chunk))]).toHaveLength(3)
  const rest = sliceChunk(chunk, 1, 3)
  expect(valuesOf(rest)).toEqual([members.slice(2, 4), members.slice(4), undefined])
  const middle = sliceChunk(chunk, 1, 2)
  expect(valuesOf(middle)).toEqual([members.slice(2, 4), undefined])
})

test('a payload without items has no batches', () => {
  expect(valuesOf(batched('ndjson', ' \n\n', 2, 0))).toEqual([undefined])
})

describe('a batch with a bad member', () => {
  test.each([
    ['ndjson', '1\nx\n3\n4', 2, { file: 'in', line: 8, column: 1 }],
    ['ndjson', '1\n{"é":1}\n33\n  {"é" 1}\n5\n6', 2, { file: 'in', line: 10, column: 8 }],
    ['json', '1, 2,3,\n{"é" 1}', 2, { file: 'in', line: 8, column: 6 }],
    ['json', '1, x ,3,4', 2, { file: 'in', line: 7, column: 8 }],
  ] as const)('fails with the location of the member: %s %j', (framing, text, batch, location) => {
    const chunk = batched(framing, text, batch, 2)
    const values = valuesOf(chunk)
    const offset = values.findIndex((value) => value instanceof BadItem)
    expect(values.filter((value) => value instanceof BadItem)).toHaveLength(1)
    expect(locate(chunk, offset, (values[offset] as BadItem).at)).toEqual(location)
  })

  test('fails for the first of them, and the batches around it are not affected', () => {
    const chunk = batched('ndjson', '1\n2\n{\n}\n5\n6\n', 2, 3)
    expect(valuesOf(chunk)).toEqual([[1, 2], new BadItem('Unexpected end of JSON', 1), [5, 6], undefined])
    expect(itemText(payloadOf(chunk), 1)).toBe('[{,}]')
  })

  test('that is not UTF-8', () => {
    const chunk = batched('ndjson', Buffer.from('1\n"é"\n"\xff"\n4\n', 'latin1'), 2, 2)
    const [first, second] = valuesOf(chunk) as BadItem[]
    expect(locate(chunk, 0, first!.at)).toEqual({ file: 'in', line: 8, column: 2 })
    expect(locate(chunk, 1, second!.at)).toEqual({ file: 'in', line: 9, column: 2 })
  })

  test('that is a malformed record', () => {
    const chunk = batched('records', `{"a":"1"}\n${badRecord('in:3:1', 'torn', '"x')}\n{"a":"3"}\n`, 2, 2)
    expect(valuesOf(chunk)).toEqual([new BadItem('in:3:1: torn', 10), [{ a: '3' }], undefined])
    expect(itemText(payloadOf(chunk), 0)).toBe('[{"a":"1"},"\\"x"]')
  })

  test('finds the location of many of them in one pass', () => {
    const count = 20_000
    const items = readItems(payloadOf(batched('ndjson', '[\n'.repeat(count), 1, count)))
    let sum = 0
    for (let i = 0; i < count; i++) sum += (items.next() as BadItem).at
    expect(sum).toBe(count)
  })
})

test('a batch with a member that was too long to read is one bad item', () => {
  const chunk = batched('json', '1,{"a":[1,2', 3, 1)
  const long: Chunk = { ...chunk, payload: { ...payloadOf(chunk), isTooLong: true } }
  const items = readItems(payloadOf(long))
  expect(items.next()).toEqual(new BadItem(TOO_LONG, 0))
  expect([...itemRanges(payloadOf(long))]).toEqual([{ start: 0, end: 11, next: 11 }])
  expect(itemText(payloadOf(long), 0)).toBe('1,{"a":[1,2')
})
