import { describe, expect, it, test } from 'vitest'
import {
  ABSENT,
  createWorker,
  hasRoom,
  inFlightOf,
  killed,
  nextDeadline,
  type ReadyState,
  ready,
  starting,
  stopping,
  type Termination,
  terminating,
  transition,
  type Worker,
  type WorkerState,
} from '../../../../src/executor/scheduler/worker.js'
import { callOf, pendingOf } from './data.js'

const NOW = 1_000
const KILL_AFTER_MS = 2_000

function workerIn(state: WorkerState): Worker {
  return { ...createWorker(3), pid: 4711, state }
}

/** Each state as it is entered. */
const STATES: Record<WorkerState['is'], (worker: Worker) => WorkerState> = {
  absent: () => ABSENT,
  starting: () => starting(),
  ready: () => ready(1),
  stopping: () => stopping(NOW + KILL_AFTER_MS),
  terminating: (worker) => terminating(worker, { reason: undefined }, NOW, KILL_AFTER_MS),
}
const names = Object.keys(STATES) as WorkerState['is'][]

function stateNamed(is: WorkerState['is']): WorkerState {
  return STATES[is](workerIn(ready(1)))
}

/** What the process is sent, by the state that is left (rows) and the state that is entered. */
const COMMANDS: Record<WorkerState['is'], Partial<Record<WorkerState['is'], string>>> = {
  absent: { starting: 'spawn' },
  starting: { ready: 'nothing', terminating: 'terminate', absent: 'nothing' },
  ready: { stopping: 'stop', terminating: 'terminate', absent: 'nothing' },
  stopping: { terminating: 'terminate', absent: 'nothing' },
  terminating: { terminating: 'terminate', absent: 'nothing' },
}

describe('transition', () => {
  const all = names.flatMap((from) => names.map((to) => [from, to, COMMANDS[from][to]] as const))

  test.each(all.filter(([, , command]) => command !== undefined))('%s → %s sends %s', (from, to, command) => {
    const worker = workerIn(stateNamed(from))
    const sent = transition(worker, STATES[to](worker))
    expect(worker.state.is).toBe(to)
    expect(sent?.type ?? 'nothing').toBe(command)
  })

  test.each(all.filter(([, , command]) => command === undefined))('%s → %s is refused', (from, to) => {
    const worker = workerIn(stateNamed(from))
    const before = worker.state
    expect(() => transition(worker, STATES[to](worker))).toThrow(
      `worker 3 cannot become ${to}: it is ${from}`,
    )
    expect(worker.state).toBe(before)
  })

  test.each(names.filter((name) => name !== 'absent'))('a %s worker can be killed', (from) => {
    const worker = workerIn(stateNamed(from))
    expect(transition(worker, killed(worker))).toEqual({ type: 'kill', worker: 3, signal: 'SIGKILL' })
    expect(nextDeadline(worker)).toBeUndefined()
  })

  it('forgets the process when it has exited', () => {
    const worker = workerIn(ready(1))
    worker.notice = { uncaughtError: undefined, exitCallStack: 'at task' }
    transition(worker, ABSENT)
    expect(worker).toEqual(createWorker(3))
  })
})

describe('a timer', () => {
  const withTimers = (timers: Partial<ReadyState>) => workerIn({ ...(ready(1) as ReadyState), ...timers })

  test.each([
    ['absent', workerIn(ABSENT), undefined],
    ['starting, job not sent', workerIn(starting()), undefined],
    ['starting', workerIn({ is: 'starting', phase: 'load', jobSentAt: 0, readyBy: 60 }), 60],
    ['ready', withTimers({}), undefined],
    ['ready, an item may exceed its timeout', withTimers({ inspectAt: 70 }), 70],
    ['ready, cancelling', withTimers({ cancelBy: 60, inspectAt: 70 }), 60],
    ['ready, exiting', withTimers({ exitBy: 50, cancelBy: 60, inspectAt: 70 }), 50],
    ['stopping', workerIn(stopping(80)), 80],
    ['terminating', workerIn(terminating(workerIn(ready(1)), { reason: undefined }, NOW, 2_000)), NOW + 100],
    [
      'terminating, shorter grace than the answer takes',
      workerIn(terminating(workerIn(ready(1)), { reason: undefined }, NOW, 50)),
      NOW + 50,
    ],
  ])('is due as its state defines: %s', (_, worker, expected) => {
    expect(nextDeadline(worker)).toBe(expected)
  })

  it('ends with the state that owns it', () => {
    const worker = withTimers({ cancelBy: 60, inspectAt: 70 })
    transition(worker, stopping(3_000))
    expect(nextDeadline(worker)).toBe(3_000)
  })
})

describe('the reason for the signals of running items', () => {
  const late = [{ id: 7, offset: 3, index: 13, timeoutMs: 250 }]
  test.each<[Termination, string]>([
    [{ reason: undefined }, 'the pool was terminated'],
    [{ reason: undefined, why: 'SIGTERM has ended the run' }, 'SIGTERM has ended the run'],
    [{ reason: { kind: 'oom' } }, 'the worker uses too much memory'],
    [{ reason: { kind: 'timeout', late } }, 'item 13 exceeded 250 ms in the same worker'],
    [{ reason: { kind: 'stuck' } }, 'the worker does not work any more'],
  ])('of a worker that is terminated for %j is "%s"', (termination, why) => {
    const worker = workerIn(ready(1))
    const command = transition(worker, terminating(worker, termination, NOW, KILL_AFTER_MS))
    expect(command).toMatchObject({ type: 'terminate', why })
  })
})

describe('what is in flight', () => {
  function busy(): Worker {
    const worker = workerIn(ready(1))
    inFlightOf(worker.state)!.add(1, callOf(), pendingOf(0, 5), NOW)
    return worker
  }

  it('survives being terminated and killed, with the reason', () => {
    const worker = busy()
    const chunks = inFlightOf(worker.state)
    transition(worker, terminating(worker, { reason: { kind: 'oom' } }, NOW, KILL_AFTER_MS))
    expect(inFlightOf(worker.state)).toBe(chunks)
    transition(worker, killed(worker))
    expect(inFlightOf(worker.state)).toBe(chunks)
    expect(worker.state).toMatchObject({ reason: { kind: 'oom' } })
  })

  it('is nothing before a worker is ready and after it has exited', () => {
    for (const is of ['absent', 'starting', 'stopping'] as const)
      expect(inFlightOf(stateNamed(is))).toBeUndefined()
  })
})

describe('hasRoom', () => {
  const idle = ready(1) as ReadyState

  test.each<[situation: string, changes: Partial<ReadyState>, expected: boolean]>([
    ['idle', {}, true],
    ['draining', { isDraining: true }, false],
    ['about to be replaced', { replaceWhenIdle: true }, false],
    ['cancelling', { cancelBy: NOW }, false],
    ['exiting', { exitBy: NOW }, false],
  ])('%s: %s', (_, changes, expected) => {
    expect(hasRoom({ ...idle, ...changes }, false)).toBe(expected)
  })
})
