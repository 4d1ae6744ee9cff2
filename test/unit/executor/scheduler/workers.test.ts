import { describe, expect, it } from 'vitest'
import type { ScheduledCall } from '../../../../src/executor/scheduler/call.js'
import type { Command } from '../../../../src/executor/scheduler/messages.js'
import type { ReadyState } from '../../../../src/executor/scheduler/worker.js'
import { WorkerTable } from '../../../../src/executor/scheduler/workers.js'
import { callOf, lines, pendingOf } from './data.js'

const KILL_AFTER_MS = 2_000

function setUp(count = 1) {
  let commands: Command[] = []
  const table = new WorkerTable({ concurrency: 1, processes: 1, killAfterMs: KILL_AFTER_MS }, (command) =>
    commands.push(command),
  )
  for (let i = 0; i < count; i++) table.start()
  return {
    table,
    /** Commands since the last time. */
    sent() {
      const sent = lines(commands)
      commands = []
      return sent
    },
  }
}

function readyWorker(...calls: ScheduledCall[]) {
  const world = setUp()
  const worker = world.table.all[0]!
  world.table.setReady(worker)
  const state = worker.state as ReadyState
  for (const [id, call] of calls.entries()) state.inFlight.add(id, call, pendingOf(0, 1), 0)
  world.sent()
  return { ...world, worker, state }
}

describe('start', () => {
  it('uses the place of a worker that has exited before it adds one', () => {
    const { table, sent } = setUp(2)
    table.setAbsent(table.all[0]!)
    table.start()
    table.start()
    expect(sent()).toEqual(['spawn 0', 'spawn 1', 'spawn 0', 'spawn 2'])
    expect(table.startedCount).toBe(4)
  })
})

describe('leastLoaded', () => {
  const cheap = callOf()
  cheap.sizer.measured(100, 0.1)

  /** Workers with so many chunks, or that have changed like this. */
  function busy(...workers: readonly (number | Partial<ReadyState>)[]) {
    const { table } = setUp(workers.length)
    for (const [id, what] of workers.entries()) {
      const worker = table.all[id]!
      table.setReady(worker)
      const { inFlight } = Object.assign(worker.state as ReadyState, typeof what === 'number' ? {} : what)
      if (typeof what === 'number') for (let n = 0; n < what; n++) inFlight.add(n, cheap, pendingOf(0, 1), 0)
      table.changed(worker)
    }
    return table
  }

  it('is the one with the fewest chunks', () => {
    expect(busy(2, 1, 2).leastLoaded(false)?.id).toBe(1)
  })

  it('is the first of several that are equal', () => {
    expect(busy(1, 0, 0).leastLoaded(false)?.id).toBe(1)
  })

  it('is none while all are full', () => {
    expect(busy(3, 3).leastLoaded(false)).toBeUndefined()
  })

  it('leaves out workers that take nothing', () => {
    const table = busy(0, 0, { isDraining: true }, { replaceWhenIdle: true }, 2)
    table.setAbsent(table.all[0]!)
    table.stop(table.all[1]!, 0)
    expect(table.leastLoaded(false)?.id).toBe(4)
  })
})

describe('the timers', () => {
  it('report a worker that was not ready in time', () => {
    const { table, sent } = setUp(2)
    const late = table.all[1]!
    if (late.state.is === 'starting') late.state.readyBy = 100
    table.changed(late)
    sent()
    expect(table.nextDeadline).toBe(100)
    expect(table.applyTimers(99)).toBeUndefined()
    expect(table.applyTimers(100)).toBe(late)
    expect(sent()).toEqual([])
  })

  it('inspect a worker once', () => {
    const { table, worker, state, sent } = readyWorker(callOf({ timeoutMs: 100 }))
    table.setInspection(state)
    table.changed(worker)
    expect(table.nextDeadline).toBe(100)
    table.applyTimers(99)
    expect(sent()).toEqual([])
    table.applyTimers(100)
    table.applyTimers(200)
    expect(sent()).toEqual(['inspect 0'])
  })

  it('give the items of other calls as long again before cancelled ones take them along', () => {
    const aborted = { ...callOf(), isAborted: true }
    const { table, sent } = readyWorker(callOf(), aborted)
    table.cancel(aborted, 'why', 0)
    sent()
    table.applyTimers(2_000)
    expect(sent()).toEqual(['return 0'])
    table.applyTimers(3_999)
    expect(sent()).toEqual([])
    table.applyTimers(4_000)
    expect(sent()).toEqual(['kill 0: SIGKILL'])
  })

  it('kill a worker in which cancelled items still run', () => {
    const call = { ...callOf(), isAborted: true }
    const { table, sent } = readyWorker(call)
    table.cancel(call, 'why', 50)
    expect(sent()).toEqual(['cancel 0: 0'])
    table.applyTimers(2_049)
    expect(sent()).toEqual([])
    table.applyTimers(2_050)
    expect(sent()).toEqual(['kill 0: SIGKILL'])
  })

  it('kill a worker whose finalizer does not end, with a warning', () => {
    const { table, worker, sent } = readyWorker()
    table.stop(worker, 0)
    table.applyTimers(KILL_AFTER_MS)
    expect(sent()).toEqual(['stop 0', 'warn: finalizer-timeout', 'kill 0: SIGKILL'])
  })

  it('escalate from a message to SIGTERM to SIGKILL, and then stay silent', () => {
    const { table, worker, sent } = readyWorker()
    table.terminateFor(worker, { reason: { kind: 'oom' } }, 0)
    expect(sent()).toEqual(['terminate 0'])
    table.applyTimers(99)
    expect(sent()).toEqual([])
    table.applyTimers(100)
    expect(sent()).toEqual(['kill 0: SIGTERM'])
    table.applyTimers(KILL_AFTER_MS)
    expect(sent()).toEqual(['kill 0: SIGKILL'])
    expect(table.nextDeadline).toBeUndefined()
  })
})

describe('drain', () => {
  it('asks workers that have chunks of the call, once', () => {
    const [call, other] = [callOf(), callOf()]
    const { table, state, sent } = readyWorker(call)
    table.drain(other)
    expect(sent()).toEqual([])
    table.drain(call)
    table.drain(call)
    expect(sent()).toEqual(['return 0'])
    expect(state.isDraining).toBe(true)
  })

  it('is over when nothing is in flight', () => {
    const call = callOf()
    const { table, worker, state } = readyWorker(call, call)
    table.drain(call)
    table.remove(worker, state.inFlight, state.inFlight.chunks[0]!, 0)
    expect(state.isDraining).toBe(true)
    table.remove(worker, state.inFlight, state.inFlight.chunks[0]!, 0)
    expect(state.isDraining).toBe(false)
  })
})

describe('replaceWhenIdle', () => {
  it('asks for what has not begun', () => {
    const { table, worker, state, sent } = readyWorker(callOf())
    table.replaceWhenIdle(worker, state)
    expect(sent()).toEqual(['return 0'])
    expect(state.replaceWhenIdle).toBe(true)
  })

  it('asks an idle worker for nothing', () => {
    const { table, worker, state, sent } = readyWorker()
    table.replaceWhenIdle(worker, state)
    expect(sent()).toEqual([])
  })
})

describe('cancel', () => {
  it('is over when nothing of an aborted call is left', () => {
    const aborted = { ...callOf(), isAborted: true }
    const { table, worker, state } = readyWorker(aborted, callOf())
    table.cancel(aborted, 'why', 0)
    expect(state.cancelBy).toBe(KILL_AFTER_MS)
    table.remove(worker, state.inFlight, state.inFlight.chunks[0]!, 0)
    expect(state.cancelBy).toBeUndefined()
  })
})

describe('terminateAll', () => {
  it('asks workers that have run something, and kills those that are starting', () => {
    const { table, sent } = setUp(4)
    const [first, second, third] = table.all
    table.setReady(first!)
    table.setReady(second!)
    table.stop(second!, 0)
    table.setAbsent(third!)
    sent()
    table.terminateAll(undefined, 10)
    expect(sent()).toEqual(['terminate 0', 'terminate 1', 'kill 3: SIGKILL'])
  })
})

describe('killAll', () => {
  it('kills every process, terminating ones too', () => {
    const { table, sent } = setUp(3)
    table.setReady(table.all[0]!)
    table.terminateFor(table.all[0]!, { reason: undefined }, 0)
    table.setAbsent(table.all[1]!)
    sent()
    table.killAll()
    expect(sent()).toEqual(['kill 0: SIGKILL', 'kill 2: SIGKILL'])
    expect(table.areAllAbsent).toBe(false)
  })
})
