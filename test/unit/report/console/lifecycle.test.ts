// What --debug writes about workers.
import { expect, it } from 'vitest'
import { createLifecycle } from '../../../../src/report/console/lifecycle.js'
import { itemFailed, itemsSettled, printed } from '../events.js'

it('writes a line per event in the life of a worker, and none about items', () => {
  let text = ''
  let now = 1000
  const lifecycle = createLifecycle({
    write: (more) => {
      text += more
    },
    now: () => now,
  })
  lifecycle.handle({ type: 'worker-started', workerId: 1, pid: 4131, at: now })
  now += 85
  lifecycle.handle({ type: 'worker-ready', workerId: 1, pid: 4131 })
  lifecycle.note('worker 1: 8 items at a time, from item 0 on')
  now += 2000
  lifecycle.handle(itemsSettled(0, 8, [2]))
  lifecycle.handle(itemFailed(2, 'skip'))
  lifecycle.handle(printed('noise'))
  lifecycle.handle({ type: 'worker-exited', workerId: 1, pid: 4131, exitCode: null, signal: 'SIGKILL' })
  lifecycle.handle({ type: 'worker-started', workerId: 1, pid: 4140, at: now })
  now += 60_000
  lifecycle.handle({ type: 'worker-exited', workerId: 1, pid: 4140, exitCode: 0, signal: null })
  expect(text).toMatchInlineSnapshot(`
    "debug: +0.000 s worker 1 (pid 4131) started
    debug: +0.085 s worker 1 (pid 4131) ready after 85 ms
    debug: +0.085 s worker 1: 8 items at a time, from item 0 on
    debug: +2.085 s worker 1 (pid 4131) was killed by SIGKILL after 2.1 s, 8 items settled
    debug: +2.085 s worker 1 (pid 4140) started, in place of pid 4131
    debug: +62.085 s worker 1 (pid 4140) exited with code 0 after 60 s, 0 items settled
    "
  `)
})
