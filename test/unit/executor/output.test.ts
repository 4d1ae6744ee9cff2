// Whether the output of workers is read: not while the reader of stderr is behind, except at a worker's end.
import { expect, test } from 'vitest'
import { numbers, setUp, start, turn } from './fakes.js'

test('no worker is read while output is held back, not even a new one', async () => {
  const { executor, workers } = setUp()
  executor.start(1)
  await turn()
  expect(workers.map(({ isRead }) => isRead)).toEqual([true])
  executor.readOutput(false)
  executor.start(2)
  await turn()
  expect(workers.map(({ isRead }) => isRead)).toEqual([false, false])
  executor.readOutput(true)
  expect(workers.map(({ isRead }) => isRead)).toEqual([true, true])
})

test('a worker that stops is read, so that its finalizer is not killed for what it prints', async () => {
  const { executor, workers } = setUp({ processes: 1 })
  const call = start(executor, numbers(1))
  await turn()
  executor.readOutput(false)
  workers[0]!.ready()
  workers[0]!.settleAll()
  await call.done
  void executor.close()
  expect(workers[0]!.sent.at(-1)).toEqual({ type: 'stop' })
  expect(workers[0]!.isRead).toBe(true)
  executor.readOutput(false)
  expect(workers[0]!.isRead).toBe(true)
})
