import { expect, test } from 'vitest'
import { growth, type PoolSize, workersToStart } from '../../../../src/executor/scheduler/scaling.js'

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

const TWO_PROMPT = { processes: 8, promptWorkers: 2, alive: 2, usable: 2, stalled: 0, isQuiet: false }

test.each<[situation: string, pool: Partial<typeof TWO_PROMPT>, ReturnType<typeof growth>]>([
  ['an empty pool', { alive: 0, usable: 0 }, { most: 2, items: 'all' }],
  ['the prompt workers make progress', {}, { most: 8, items: 'lasting' }],
  ['one of them is stopping', { usable: 1 }, { most: 3, items: 'all' }],
  ['one of them stalls', { stalled: 1 }, { most: 3, items: 'all' }],
  ['one that stalls has been replaced', { alive: 3, usable: 3, stalled: 1 }, { most: 8, items: 'lasting' }],
  ['all stall while items settle elsewhere', { stalled: 2 }, { most: 4, items: 'all' }],
  ['all stall, and nothing settles', { stalled: 2, isQuiet: true }, { most: 8, items: 'all' }],
  ['no room for another', { processes: 2, stalled: 1 }, { most: 2, items: 'all' }],
])('how far a pool grows: %s', (_, pool, expected) => {
  expect(growth({ ...TWO_PROMPT, ...pool })).toEqual(expected)
})
