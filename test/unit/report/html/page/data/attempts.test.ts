// Look-ups in the columns of attempts.
import { describe, expect, it } from 'vitest'
import {
  attemptsOfItem,
  describeAttempt,
  findAttempts,
  getAttempt,
  lastStartedBy,
  slowestAttempts,
} from '../../../../../../src/report/html/page/data/attempts.js'
import { columnsOf } from '../columns.js'

const attempts = columnsOf(
  { index: 4, start: 0, ms: 30, status: 'retried' },
  { index: 5, start: 2, ms: 10, worker: 1 },
  { index: 4, item: 'photos/4.jpg', start: 40, ms: 1500, attempt: 2, status: 'flaky', worker: 1 },
  { index: 6, start: 40, ms: 20, status: 'failed' },
  { index: 45, start: 60, ms: 30 },
)
const none = columnsOf()

describe('getAttempt', () => {
  it('returns one row of the columns, with its status by name', () => {
    expect(getAttempt(attempts, 2)).toEqual({
      index: 4,
      item: 'photos/4.jpg',
      attempt: 2,
      worker: 1,
      start: 40,
      ms: 1500,
      status: 'flaky',
    })
  })
})

describe('attemptsOfItem', () => {
  it('returns all attempts of an item, oldest first', () => {
    expect(attemptsOfItem(attempts, 4)).toEqual([0, 2])
    expect(attemptsOfItem(attempts, 7)).toEqual([])
  })
})

describe('lastStartedBy', () => {
  it.each([
    [-1, -1],
    [0, 0],
    [1.9, 0],
    [2, 1],
    [40, 3],
    [59, 3],
    [1e9, 4],
  ])('finds for %d ms attempt %d', (ms, id) => {
    expect(lastStartedBy(attempts, ms)).toBe(id)
  })

  it('finds nothing where nothing ran', () => {
    expect(lastStartedBy(none, 10)).toBe(-1)
  })
})

describe('slowestAttempts', () => {
  it('returns the longest first, of equally long ones the earlier first', () => {
    expect(slowestAttempts(attempts, 3)).toEqual([2, 0, 4])
    expect(slowestAttempts(attempts, 10)).toHaveLength(5)
    expect(slowestAttempts(none, 10)).toEqual([])
  })
})

describe('findAttempts', () => {
  it('finds every attempt without a filter and counts those beyond the limit', () => {
    const filter = { status: undefined, index: ' ' }
    expect(findAttempts(attempts, filter, 2)).toEqual({ ids: [0, 1], total: 5 })
    expect(findAttempts(attempts, filter, 20)).toEqual({ ids: [0, 1, 2, 3, 4], total: 5 })
  })

  it('finds by status', () => {
    expect(findAttempts(attempts, { status: 'ok', index: '' }, 20)).toEqual({ ids: [1, 4], total: 2 })
  })

  it('finds by the whole index, not by a part of it', () => {
    expect(findAttempts(attempts, { status: undefined, index: ' 4 ' }, 20).ids).toEqual([0, 2])
    expect(findAttempts(attempts, { status: 'flaky', index: '4' }, 20).ids).toEqual([2])
    expect(findAttempts(attempts, { status: undefined, index: 'x' }, 20)).toEqual({ ids: [], total: 0 })
  })
})

describe('describeAttempt', () => {
  it('says what became of an attempt, and its number from the second on', () => {
    expect(describeAttempt(attempts, 1)).toBe('item 5: ok after 10 ms on worker 1, started at 2 ms')
    expect(describeAttempt(attempts, 2)).toBe(
      'item 4, attempt 2: flaky after 1.5 s on worker 1, started at 40 ms: photos/4.jpg',
    )
  })
})
