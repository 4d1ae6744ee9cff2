// The search in groups of failures.
import { describe, expect, it } from 'vitest'
import { type FailureGroup, groupFailures } from '../../../../../../src/report/failure-groups.js'
import type { FailureRecord } from '../../../../../../src/report/files/run-record.js'
import { filterGroups } from '../../../../../../src/report/html/page/data/failure-groups.js'

function failure(index: number, group: string, item = `{"n":${index}}`): FailureRecord {
  const message = `boom ${group}`
  const text = `TypeError: ${message}\n    at task`
  return {
    index,
    kind: 'error',
    attempts: 1,
    item,
    name: 'TypeError',
    message,
    text,
    group,
    location: undefined,
  }
}

const groups = groupFailures([failure(1, 'a'), failure(12, 'b'), failure(3, 'c'), failure(2, 'b')])
const indexes = (found: readonly FailureGroup[]) =>
  found.map(({ failures }) => failures.map(({ index }) => index))

describe('filterGroups', () => {
  it('keeps everything for a blank query', () => {
    expect(indexes(filterGroups(groups, '  '))).toEqual([[12, 2], [1], [3]])
  })

  it('finds text in either case and drops the other groups', () => {
    expect(indexes(filterGroups(groups, ' BOOM B'))).toEqual([[12, 2]])
    expect(filterGroups(groups, 'no such text')).toEqual([])
  })

  it('finds an item by its text', () => {
    expect(indexes(filterGroups(groups, '"n":3'))).toEqual([[3]])
  })

  it('finds an item by its index and by numbers in its text', () => {
    const plain = groupFailures([failure(2, 'a', 'x'), failure(12, 'a', 'x'), failure(3, 'b', '2')])
    expect(indexes(filterGroups(plain, '2'))).toEqual([[2], [3]])
  })
})
