// What the page says about each worker.
import { expect, it } from 'vitest'
import { workerStats } from '../../../../../../src/report/html/page/data/worker-stats.js'
import { columnsOf, pageWorker } from '../columns.js'

it('adds up the attempts of each worker over all of its processes', () => {
  const workers = [
    pageWorker(1, { pid: 201 }),
    pageWorker(0, { pid: 100, signal: 'SIGKILL', crashed: true }),
    pageWorker(0, { pid: 101, exitCode: 9, crashed: true }),
    pageWorker(0, { pid: 102, exitCode: 0 }),
    pageWorker(2, { pid: 300 }),
  ]
  const attempts = columnsOf(
    { worker: 0, ms: 20 },
    { worker: 1, ms: 500 },
    { worker: 0, ms: 30 },
    { worker: 1, ms: 900 },
  )
  expect(workerStats(workers, attempts, 1000)).toEqual([
    { workerId: 0, pids: [100, 101, 102], attempts: 2, busyPercent: 5, crashes: ['SIGKILL', 'exit 9'] },
    // Overlapping attempts add up to more than the run took.
    { workerId: 1, pids: [201], attempts: 2, busyPercent: 100, crashes: [] },
    { workerId: 2, pids: [300], attempts: 0, busyPercent: 0, crashes: [] },
  ])
})
