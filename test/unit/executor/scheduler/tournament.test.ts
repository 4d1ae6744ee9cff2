import { describe, expect, test } from 'vitest'
import { Tournament } from '../../../../src/executor/scheduler/tournament.js'
import fc from '../../../helpers/fast-check.js'

describe('Tournament', () => {
  test('finds what a look at each entry finds', () => {
    const value = fc.oneof(fc.nat(5), fc.constant(Number.POSITIVE_INFINITY))
    const change = fc.record({ id: fc.nat(20), value })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), (changes) => {
        const tournament = new Tournament()
        const values: number[] = Array(21).fill(Number.POSITIVE_INFINITY)
        for (const { id, value } of changes) {
          tournament.set(id, value)
          values[id] = value
          const least = Math.min(...values)
          const isOver = least === Number.POSITIVE_INFINITY
          expect(tournament.least).toBe(isOver ? undefined : least)
          expect(tournament.winner).toBe(isOver ? undefined : values.indexOf(least))
        }
      }),
    )
  })

  test('has no winner at first', () => {
    const { winner, least } = new Tournament()
    expect([winner, least]).toEqual([undefined, undefined])
  })
})
