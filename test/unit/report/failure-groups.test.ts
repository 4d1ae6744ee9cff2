import { describe, expect, it } from 'vitest'
import { groupFailures, titleOf } from '../../../src/report/failure-groups.js'
import type { FailureRecord } from '../../../src/report/files/run-record.js'

const failure = (index: number, group: string, message: string): FailureRecord => ({
  index,
  kind: 'error',
  attempts: 1,
  item: '',
  name: 'TypeError',
  message,
  text: '',
  group,
  location: undefined,
})

describe('groupFailures', () => {
  const groups = groupFailures([
    failure(1, 'a', 'one'),
    failure(12, 'b', 'two\nand more'),
    failure(3, 'c', 'three'),
    failure(2, 'b', 'four'),
    failure(4, 'b', 'two'),
  ])

  it('puts the largest group and the most frequent message first, otherwise in the order of settling', () => {
    expect(groups.map(({ failures }) => failures.map(({ index }) => index))).toEqual([[12, 2, 4], [1], [3]])
    expect(groups[0]!.messages.map(({ title, failures }) => [title, failures.length])).toEqual([
      ['TypeError: two', 2],
      ['TypeError: four', 1],
    ])
  })

  it('names the message, or how many there are', () => {
    expect(groups.map(titleOf)).toEqual([
      'TypeError, 2 different messages',
      'TypeError: one',
      'TypeError: three',
    ])
  })

  it('has no group without failures', () => {
    expect(groupFailures([])).toEqual([])
  })
})
