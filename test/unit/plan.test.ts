import { expect, test } from 'vitest'
import { compareToLimit, type FailureLimit } from '../../src/plan.js'

test.each<[FailureLimit, number, number, number]>([
  [{ count: 3 }, 2, 100, -1],
  [{ count: 3 }, 3, 100, 0],
  [{ count: 3 }, 4, 1, 1],
  [{ percent: 5 }, 4, 100, -1],
  [{ percent: 5 }, 5, 100, 0],
  [{ percent: 5 }, 6, 100, 1],
  // 0.07 × 100 is more than 7 in binary.
  [{ percent: 7 }, 7, 100, 0],
  [{ percent: 0 }, 0, 0, 0],
])('the limit %j, compared with %i failures of %i items, has the sign %i', (limit, failed, items, sign) => {
  expect(Math.sign(compareToLimit(limit, failed, items))).toBe(sign)
})
