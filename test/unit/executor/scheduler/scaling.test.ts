import { expect, test } from 'vitest'
import { type PoolSize, workersToStart } from '../../../../src/executor/scheduler/scaling.js'

const EMPTY: PoolSize = { alive: 0, starting: 0, processes: 8, bootLimit: 8, jobHasLoaded: true, demand: 100 }

test.each<[situation: string, size: Partial<PoolSize>, expected: number]>([
  ['an empty pool with much to do', {}, 8],
  ['little to do', { demand: 3 }, 3],
  ['nothing to do', { demand: 0 }, 0],
  ['nothing to do, but the job has not loaded yet', { demand: 0, jobHasLoaded: false }, 1],
  [
    'the job has not loaded yet, and one worker is starting',
    { demand: 0, jobHasLoaded: false, alive: 1, starting: 1 },
    0,
  ],
  ['some are running', { alive: 5 }, 3],
  ['the pool is full', { alive: 8 }, 0],
  ['workers that are starting will take what there is', { alive: 2, starting: 2, demand: 2 }, 0],
  ['more to do than those that are starting can take', { alive: 2, starting: 2, demand: 5 }, 3],
  ['no more than may start at a time', { bootLimit: 3 }, 3],
  ['as many are starting as may', { bootLimit: 3, alive: 3, starting: 3 }, 0],
  ['one of those that were starting is ready', { bootLimit: 3, alive: 3, starting: 2 }, 1],
  ['unknown demand', { demand: Number.POSITIVE_INFINITY, processes: 4, alive: 1 }, 3],
])('%s', (_, size, expected) => {
  expect(workersToStart({ ...EMPTY, ...size })).toBe(expected)
})
