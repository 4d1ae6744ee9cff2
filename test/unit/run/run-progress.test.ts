// When a run begins, which is when files of earlier runs are replaced.
import { expect, test } from 'vitest'
import type { RunEvent } from '../../../src/model.js'
import { RunProgress } from '../../../src/run/run-progress.js'

const workerReady: RunEvent = { type: 'worker-ready', workerId: 0, pid: 1 }
const workerStarted: RunEvent = { type: 'worker-started', workerId: 0, pid: 1, at: 0 }

test.each([
  ['no worker is ready', 0, (run: RunProgress) => run.itemsTaken()],
  ['there is no item', 0, (run: RunProgress) => run.handle(workerReady)],
  ['workers start', 0, (run: RunProgress) => [run.handle(workerStarted), run.itemsTaken()]],
  ['a worker is ready for an item', 1, (run: RunProgress) => [run.itemsTaken(), run.handle(workerReady)]],
  ['an item comes to a worker', 1, (run: RunProgress) => [run.handle(workerReady), run.itemsTaken()]],
  [
    'more workers and items come',
    1,
    (run: RunProgress) => [
      run.handle(workerReady),
      run.itemsTaken(),
      run.itemsTaken(),
      run.handle(workerReady),
    ],
  ],
])('while %s, the run has begun: %i', (_, times, happen) => {
  let begun = 0
  happen(new RunProgress(() => begun++))
  expect(begun).toBe(times)
})
