// The commands that `handle` returns for each input, without an executor around it.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Command, SchedulerInput, WorkerExit } from '../../../../src/executor/scheduler/messages.js'
import { Scheduler, type SchedulerOptions } from '../../../../src/executor/scheduler/scheduler.js'
import { chunkOf, EXPORTS, FAILURE, lines, resultsOf, TASK } from './data.js'

const KILLED: WorkerExit = { exitCode: null, signal: 'SIGKILL', stderrTail: [] }
const UNCAUGHT = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

let scheduler: Scheduler
let now: number
let latest: readonly Command[]

beforeEach(() => {
  now = 0
  create()
})

function create(options: Partial<SchedulerOptions> = {}): void {
  scheduler = new Scheduler({
    processes: 2,
    concurrency: 1,
    initTimeoutMs: 60_000,
    killAfterMs: 2_000,
    maxRestarts: 16,
    ...options,
  })
}

/** The commands for one input. */
function handle(input: SchedulerInput): string[] {
  latest = scheduler.handle(input, now)
  return lines(latest)
}

function tick(at: number): string[] {
  now = at
  return handle({ type: 'tick' })
}

const open = (call = 1, options: object = {}) => handle({ type: 'open', call, task: TASK, ...options })
const supply = (seq: number, count: number, call = 1) =>
  handle({ type: 'supply', call, chunk: chunkOf(seq, count) })
const end = (call = 1) => handle({ type: 'supply', call, chunk: undefined })
const settled = (id: number, seq: number, count: number, changes: object = {}, worker = 0) =>
  handle({ type: 'settled', worker, ranges: [resultsOf(id, seq, count, changes)] })

/** A ready worker 0, alone. */
function boot(options: Partial<SchedulerOptions> = {}): void {
  create({ processes: 1, ...options })
  handle({ type: 'start', count: 1 })
  handle({ type: 'spawned', worker: 0, pid: 1000, hasRecorder: true })
  handle({ type: 'ready', worker: 0, exports: EXPORTS })
}

const isSpawn = (command: string) => command.startsWith('spawn')

describe('the start', () => {
  it('spawns workers ahead, at most as many as the pool may have', () => {
    expect(handle({ type: 'start', count: 1 })).toEqual(['spawn 0'])
    expect(handle({ type: 'start', count: 9 })).toEqual(['spawn 1'])
  })

  it('spawns a worker per item for a call, and pulls its source when one is ready', () => {
    expect(open()).toEqual(['spawn 0', 'spawn 1'])
    expect(handle({ type: 'ready', worker: 1, exports: EXPORTS })).toEqual(['pull 1'])
    expect(supply(0, 1)).toEqual(['run 1: 1 from 0'])
  })

  it('spawns one worker to load the job even if there is nothing to do', () => {
    expect(open(1, { remaining: 0 })).toEqual(['pull 1', 'spawn 0'])
    expect(end()).toEqual([])
    expect(handle({ type: 'ready', worker: 0, exports: EXPORTS })).toEqual(['end 1: done'])
  })

  describe('with fewer prompt workers than the pool may have', () => {
    /** One ready worker, and one item that it runs. */
    function run(promptWorkers: number) {
      create({ processes: 3, promptWorkers })
      expect(open()).toEqual(promptWorkers === 1 ? ['spawn 0'] : ['spawn 0', 'spawn 1'])
      handle({ type: 'ready', worker: 0, exports: EXPORTS })
      return supply(0, 1)
    }

    it('spawns no others while cheap items settle', () => {
      expect(run(1)).toEqual(['run 0: 1 from 0'])
      supply(1, 1)
      now = 99
      expect(settled(1, 0, 1, { busyMs: 0.01 }).filter(isSpawn)).toEqual([])
      supply(2, 1)
      expect(scheduler.nextWake()).toBe(199)
      expect(tick(198).filter(isSpawn)).toEqual([])
    })

    it('spawns others as soon as items are known to last', () => {
      run(1)
      supply(1, 1)
      now = 99
      expect(settled(1, 0, 1, { busyMs: 99 }).filter(isSpawn)).toEqual([])
      supply(2, 1)
      expect(settled(2, 1, 1, { busyMs: 1 }).filter(isSpawn)).toEqual(['spawn 1', 'spawn 2'])
    })

    it('spawns others when nothing has settled for as long as a start takes', () => {
      run(1)
      supply(1, 1)
      expect(scheduler.nextWake()).toBe(100)
      expect(tick(99).filter(isSpawn)).toEqual([])
      expect(tick(100).filter(isSpawn)).toEqual(['spawn 1', 'spawn 2'])
    })

    it('takes only results for progress, not what else workers send', () => {
      run(1)
      supply(1, 1)
      now = 60
      handle({ type: 'inspected', worker: 0, running: [] })
      handle({ type: 'memory', worker: 0, rss: 1 })
      handle({ type: 'pong', worker: 0, isRunning: true })
      expect(scheduler.nextWake()).toBe(100)
    })

    it('spawns others for items that wait in the chunk of a worker', () => {
      create({ processes: 3, promptWorkers: 1 })
      open(1, { chunkSize: 4 })
      handle({ type: 'ready', worker: 0, exports: EXPORTS })
      expect(supply(0, 4)).toEqual(['run 0: 4 from 0'])
      end()
      expect(tick(99).filter(isSpawn)).toEqual([])
      expect(tick(100).filter(isSpawn)).toEqual(['spawn 1', 'spawn 2'])
    })

    it('spawns others for items that last and wait in the chunk of a worker, although some settle', () => {
      create({ processes: 3, promptWorkers: 1 })
      open(1, { chunkSize: 8 })
      handle({ type: 'ready', worker: 0, exports: EXPORTS })
      supply(0, 8)
      end()
      now = 60
      expect(settled(1, 0, 1, { busyMs: 60 }).filter(isSpawn)).toEqual([])
      now = 120
      expect(settled(1, 0, 1, { from: 1, busyMs: 60 }).filter(isSpawn)).toEqual(['spawn 1', 'spawn 2'])
    })

    it('spawns no others for cheap items that wait in the chunk of a worker', () => {
      create({ processes: 3, promptWorkers: 1 })
      open(1, { chunkSize: 1000 })
      handle({ type: 'ready', worker: 0, exports: EXPORTS })
      supply(0, 1000)
      end()
      for (let i = 0; i < 9; i++) {
        now += 99
        expect(settled(1, 0, 100, { from: 100 * i, busyMs: 9 }).filter(isSpawn)).toEqual([])
      }
    })

    it('spawns another for each prompt worker in which nothing settles while others go on', () => {
      create({ processes: 5, promptWorkers: 2 })
      open()
      handle({ type: 'ready', worker: 0, exports: EXPORTS })
      supply(0, 1)
      handle({ type: 'ready', worker: 1, exports: EXPORTS })
      supply(1, 1)
      supply(2, 1)
      now = 90
      settled(2, 1, 1, { busyMs: 0.01 }, 1)
      supply(3, 1)
      supply(4, 1)
      expect(scheduler.nextWake()).toBe(100)
      expect(tick(100).filter(isSpawn)).toEqual([])
      now = 450
      settled(3, 2, 1, { busyMs: 0.01 }, 1)
      supply(5, 1)
      expect(tick(499).filter(isSpawn)).toEqual([])
      expect(tick(500).filter(isSpawn)).toEqual(['spawn 2'])
      expect(tick(510).filter(isSpawn)).toEqual([])
    })

    it('spawns no others when many items come after a pause', () => {
      run(1)
      settled(1, 0, 1, { busyMs: 0.01 })
      now = 5_000
      expect(supply(1, 1).filter(isSpawn)).toEqual([])
      expect(supply(2, 1).filter(isSpawn)).toEqual([])
    })

    it('spawns others beside workers that are slow to start', () => {
      create({ processes: 4, promptWorkers: 2, bootLimit: 3 })
      open()
      now = 1_000
      handle({ type: 'init-sent', worker: 0 })
      handle({ type: 'init-sent', worker: 1 })
      expect(scheduler.nextWake()).toBe(1_500)
      expect(tick(1_499).filter(isSpawn)).toEqual([])
      expect(tick(1_500).filter(isSpawn)).toEqual(['spawn 2'])
    })

    it('spawns no others while the job is compiled', () => {
      create({ processes: 4, promptWorkers: 2 })
      open()
      expect(scheduler.nextWake()).toBeUndefined()
      expect(tick(10_000).filter(isSpawn)).toEqual([])
    })

    it('replaces a prompt worker at once', () => {
      run(2)
      handle({ type: 'ready', worker: 1, exports: EXPORTS })
      supply(1, 1)
      supply(2, 1)
      expect(handle({ type: 'exited', worker: 1, ...KILLED }).filter(isSpawn)).toEqual(['spawn 1'])
    })

    it('starts only those ahead', () => {
      create({ processes: 3, promptWorkers: 2 })
      expect(handle({ type: 'start', count: 3 })).toEqual(['spawn 0', 'spawn 1'])
    })
  })

  it('fails the pool when a worker is not ready in time after the job was sent', () => {
    open()
    now = 500
    handle({ type: 'init-sent', worker: 0 })
    expect(scheduler.nextWake()).toBe(60_500)
    expect(tick(60_500)).toEqual(['end 1: fault', 'kill 0: SIGKILL', 'kill 1: SIGKILL'])
  })

  it('fails the pool when the initializer fails', () => {
    open()
    const failed = { type: 'init-failed', worker: 0, stage: 'initializer', error: UNCAUGHT } as const
    expect(handle(failed)).toEqual(['end 1: fault', 'kill 0: SIGKILL', 'kill 1: SIGKILL'])
    expect(open(2)).toEqual(['end 2: fault'])
  })

  it('fails the pool when a worker exits before it is ready, with the phase that failed', () => {
    open()
    handle({ type: 'initializing', worker: 0 })
    expect(handle({ type: 'exited', worker: 0, ...KILLED })).toEqual(['end 1: fault', 'kill 1: SIGKILL'])
    expect(latest[0]).toMatchObject({
      end: { fault: { kind: 'startup', phase: 'initializer', signal: 'SIGKILL', started: 2 } },
    })
    expect(handle({ type: 'exited', worker: 1, ...KILLED })).toEqual(['closed'])
  })

  it('fails the pool when no process can be started', () => {
    open()
    const error = new Error('EAGAIN')
    expect(handle({ type: 'spawn-failed', worker: 0, error })).toEqual(['end 1: fault', 'kill 1: SIGKILL'])
  })
})

describe('dispatch', () => {
  it('pulls while a worker has room, and starts no worker for it', () => {
    boot()
    expect(open(1, { chunkSize: 1 })).toEqual(['pull 1'])
    expect(supply(0, 1)).toEqual(['run 0: 1 from 0'])
    // Nothing is prefetched until it is known what an item costs.
    expect(settled(1, 0, 1, { busyMs: 0.1 })).toEqual(['settle 1: 1 from 0', 'pull 1'])
    expect(supply(1, 1)).toEqual(['run 0: 1 from 1', 'pull 1'])
  })

  it('settles a chunk in parts', () => {
    boot()
    open()
    supply(0, 5)
    expect(settled(1, 0, 2)).toEqual(['settle 1: 2 from 0'])
    expect(settled(1, 0, 2)).toEqual([])
    expect(settled(1, 0, 3, { from: 2 })).toEqual(['settle 1: 3 from 2', 'pull 1'])
    expect(end()).toEqual(['end 1: done'])
  })

  it('cuts a chunk to the items that a worker has left, then replaces the worker', () => {
    boot({ maxTasksPerChild: 3 })
    open()
    expect(supply(0, 5)).toEqual(['run 0: 3 from 0'])
    expect(settled(1, 0, 3)).toEqual(['settle 1: 3 from 0', 'stop 0'])
    expect(handle({ type: 'exited', worker: 0, exitCode: 0, signal: null, stderrTail: [] })).toEqual([
      'spawn 0',
    ])
    expect(handle({ type: 'ready', worker: 0, exports: EXPORTS })).toEqual(['run 0: 2 from 3', 'pull 1'])
  })

  it('fails items that cannot be sent and dispatches the others again', () => {
    boot()
    open()
    supply(0, 3)
    const failures = [{ offset: 1, failure: FAILURE }]
    expect(handle({ type: 'unsendable', worker: 0, id: 1, failures })).toEqual([
      'settle 1: 1 from 1 error',
      'run 0: 1 from 0',
    ])
  })

  it('dispatches the items of a chunk that cannot be sent one by one if none of them is named', () => {
    boot()
    open()
    supply(0, 2)
    const unsendable = (id: number) => handle({ type: 'unsendable', worker: 0, id, failures: [] })
    expect(unsendable(1)).toEqual(['run 0: 1 from 0'])
    expect(settled(2, 0, 1)).toEqual(['settle 1: 1 from 0', 'run 0: 1 from 1', 'pull 1'])
  })

  it('ends a call whose task the job does not export', () => {
    open()
    expect(handle({ type: 'ready', worker: 0, exports: { square: 'function' } })).toEqual(['end 1: no-task'])
  })
})

describe('a crash', () => {
  it('fails the running item, keeps the recorded outcomes and runs the rest in a new process', () => {
    boot()
    open()
    supply(0, 4)
    const record = {
      outcomes: [resultsOf(1, 0, 1)],
      running: [{ id: 1, offset: 1, forMs: 5 }],
      unrecorded: [],
    }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0',
      'settle 1: 1 from 1 crash',
      'spawn 0',
    ])
    expect(handle({ type: 'ready', worker: 0, exports: EXPORTS })).toEqual(['run 0: 2 from 2', 'pull 1'])
  })

  it('requeues an unrecorded chunk as recorded', () => {
    boot()
    open()
    supply(0, 4)
    const record = { outcomes: [], running: [], unrecorded: [1] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual(['spawn 0'])
    handle({ type: 'ready', worker: 0, exports: EXPORTS })
    expect(latest).toMatchObject([{ type: 'run', chunk: { count: 4, recordEachItem: true } }])
  })

  it('requeues each item as a chunk of its own without a recorder', () => {
    boot()
    open()
    supply(0, 3)
    handle({ type: 'exited', worker: 0, ...KILLED })
    expect(handle({ type: 'ready', worker: 0, exports: EXPORTS })).toEqual(['run 0: 1 from 0'])
    expect(settled(2, 0, 1)).toEqual(['settle 1: 1 from 0', 'run 0: 1 from 1', 'run 0: 1 from 2', 'pull 1'])
  })

  it('that the worker announced between two items is a warning', () => {
    boot()
    open()
    supply(0, 2)
    settled(1, 0, 2)
    const notice = { uncaughtError: UNCAUGHT, exitCallStack: undefined }
    expect(handle({ type: 'exit-announced', worker: 0, notice })).toEqual([])
    expect(handle({ type: 'exited', worker: 0, exitCode: 1, signal: null, stderrTail: [] })).toEqual([
      'warn: exit-between-items',
      'spawn 0',
    ])
    expect(latest[0]).toMatchObject({
      warning: { workerId: 0, pid: 1000, exitCode: 1, uncaughtError: UNCAUGHT },
    })
  })

  it('that the worker announced has time, also if the kill follows immediately, and is not killed again and again', () => {
    boot({ killAfterMs: 0 })
    open()
    supply(0, 1)
    const notice = { uncaughtError: UNCAUGHT, exitCallStack: undefined }
    handle({ type: 'exit-announced', worker: 0, notice })
    expect(scheduler.nextWake()).toBe(100)
    expect(tick(100)).toEqual(['kill 0: SIGKILL'])
    expect(scheduler.nextWake()).toBe(200)
  })

  it('of an idle worker from outside is replaced without a warning', () => {
    boot()
    open()
    expect(handle({ type: 'exited', worker: 0, ...KILLED })).toEqual(['spawn 0'])
  })

  it('fails the pool when there have been too many', () => {
    boot({ maxRestarts: 1 })
    open()
    handle({ type: 'exited', worker: 0, ...KILLED })
    handle({ type: 'ready', worker: 0, exports: EXPORTS })
    expect(handle({ type: 'exited', worker: 0, ...KILLED })).toEqual(['end 1: fault', 'closed'])
    expect(latest[0]).toMatchObject({ end: { fault: { kind: 'restarts', limit: 1 } } })
  })

  it('of the last item ends the call with the fault, after the item has settled', () => {
    boot({ maxRestarts: 0 })
    open()
    supply(0, 1)
    end()
    const record = { outcomes: [], running: [{ id: 1, offset: 0, forMs: 5 }], unrecorded: [] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0 crash',
      'end 1: fault',
      'closed',
    ])
  })
})

describe('a timeout', () => {
  beforeEach(() => {
    boot()
    open(1, { timeoutMs: 100, chunkSize: 2 })
    supply(0, 2)
    expect(scheduler.nextWake()).toBe(100)
  })

  it('inspects the worker and terminates it for the item that exceeded it', () => {
    expect(tick(100)).toEqual(['inspect 0'])
    const running = [{ id: 1, offset: 0, forMs: 100 }]
    expect(handle({ type: 'inspected', worker: 0, running })).toEqual(['expire 0: 1 at 0'])
    expect(handle({ type: 'expiring', worker: 0, id: 1, offset: 0, listens: false })).toEqual(['terminate 0'])
    expect(handle({ type: 'cancelled', worker: 0, ids: [1], begun: [1] })).toEqual([])
    const exit = {
      exitCode: 0,
      signal: null,
      stderrTail: [],
      record: { outcomes: [], running, unrecorded: [] },
    }
    expect(handle({ type: 'exited', worker: 0, ...exit })).toEqual(['settle 1: 1 from 0 timeout', 'spawn 0'])
  })

  it('waits for the rest of the time of an item that began later', () => {
    tick(100)
    handle({ type: 'inspected', worker: 0, running: [{ id: 1, offset: 1, forMs: 40 }] })
    expect(scheduler.nextWake()).toBe(160)
  })

  it('terminates a worker that begins nothing, which counts as a crash', () => {
    create({ processes: 1, maxRestarts: 0 })
    open(1, { timeoutMs: 100 })
    handle({ type: 'ready', worker: 0, exports: EXPORTS })
    now = 0
    supply(0, 1)
    tick(100)
    expect(handle({ type: 'inspected', worker: 0, running: [] })).toEqual([])
    tick(200)
    expect(handle({ type: 'inspected', worker: 0, running: [] })).toEqual(['terminate 0'])
    const record = { outcomes: [], running: [], unrecorded: [] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual(['end 1: fault', 'closed'])
  })
})

describe('too much memory', () => {
  beforeEach(() => {
    boot({ maxMemoryBytes: 1_000 })
    open()
    supply(0, 3)
  })

  it('measured from outside terminates the worker for its running item', () => {
    expect(handle({ type: 'memory', worker: 0, rss: 1_000 })).toEqual([])
    expect(handle({ type: 'memory', worker: 0, rss: 1_001 })).toEqual(['terminate 0'])
    const record = { outcomes: [], running: [{ id: 1, offset: 0, forMs: 5 }], unrecorded: [] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0 oom',
      'spawn 0',
    ])
  })

  it('reported between items replaces the worker once it has returned what it has not begun', () => {
    const ranges = [resultsOf(1, 0, 1)]
    expect(handle({ type: 'settled', worker: 0, ranges, rss: 1_001 })).toEqual([
      'settle 1: 1 from 0',
      'return 0',
    ])
    expect(handle({ type: 'memory', worker: 0, rss: 1_001 })).toEqual([])
    expect(handle({ type: 'returned', worker: 0, ids: [1], kept: [1], waits: false })).toEqual(['stop 0'])
  })
})

describe('what a worker returns', () => {
  const returned = (id: number, kept: number, waits = false) =>
    handle({ type: 'returned', worker: 0, ids: [id], kept: [kept], waits })

  it('runs again, and what it keeps settles', () => {
    boot()
    open(1, { chunkSize: 8 })
    supply(0, 8)
    expect(returned(1, 2)).toEqual([])
    expect(settled(1, 0, 1)).toEqual(['settle 1: 1 from 0'])
    expect(settled(1, 0, 1, { from: 1 })).toEqual([
      'settle 1: 1 from 1',
      'run 0: 3 from 2',
      'run 0: 3 from 5',
      'pull 1',
    ])
  })

  it('is discarded where its call takes nothing more', () => {
    boot()
    open()
    supply(0, 3)
    handle({ type: 'drain', call: 1 })
    expect(returned(1, 1)).toEqual([])
    expect(settled(1, 0, 1)).toEqual(['settle 1: 1 from 0', 'end 1: done'])
  })

  it('does not count towards the items after which the worker is replaced', () => {
    boot({ maxTasksPerChild: 3 })
    open(1, { chunkSize: 3 })
    supply(0, 3)
    expect(returned(1, 1)).toEqual([])
    expect(settled(1, 0, 1)).toEqual(['settle 1: 1 from 0', 'run 0: 1 from 1', 'run 0: 1 from 2'])
  })

  it('changes nothing if it has settled, or is not in that worker', () => {
    boot()
    open()
    supply(0, 3)
    expect(settled(1, 0, 2)).toEqual(['settle 1: 2 from 0'])
    expect(returned(1, 0)).toEqual(['run 0: 1 from 2', 'pull 1'])
    expect(returned(99, 0)).toEqual([])
  })

  it('is one by one where items wait: others run meanwhile', () => {
    boot({ concurrency: 3 })
    open(1, { chunkSize: 4 })
    supply(0, 4)
    expect(returned(1, 1, true)).toEqual(['run 0: 1 from 1', 'run 0: 1 from 2', 'run 0: 1 from 3'])
    settled(2, 1, 1)
    // So are the items of later chunks, whatever their size.
    expect(supply(4, 2)).toEqual(['run 0: 1 from 4', 'run 0: 1 from 5', 'pull 1'])
  })

  it('has not begun when the worker is killed later', () => {
    boot()
    open(1, { chunkSize: 3 })
    supply(0, 3)
    returned(1, 1)
    const record = { outcomes: [], running: [{ id: 1, offset: 0, forMs: 5 }], unrecorded: [] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0 crash',
      'spawn 0',
    ])
  })
})

describe('a worker that has nothing to do while items wait in another', () => {
  beforeEach(() => {
    create()
    handle({ type: 'start', count: 2 })
    for (const worker of [0, 1]) handle({ type: 'ready', worker, exports: EXPORTS })
    open(1, { chunkSize: 10 })
    supply(0, 10)
    end()
  })

  it('gets some of them, a while later', () => {
    expect(scheduler.nextWake()).toBe(5)
    expect(tick(5)).toEqual(['return 0'])
    expect(handle({ type: 'returned', worker: 0, ids: [1], kept: [2], waits: false })).toEqual([
      'run 1: 2 from 2',
    ])
    expect(settled(1, 0, 2)).toEqual([
      'settle 1: 2 from 0',
      'run 0: 2 from 4',
      'run 0: 2 from 6',
      'run 0: 2 from 8',
    ])
  })

  it('asks once', () => {
    tick(5)
    expect(scheduler.nextWake()).toBeUndefined()
    expect(tick(50)).toEqual([])
  })

  it('gets nothing if they are done by then', () => {
    settled(1, 0, 9)
    expect(tick(5)).toEqual([])
    expect(scheduler.nextWake()).toBeUndefined()
  })

  it('waits for items that will not take long, unless they do', () => {
    settled(1, 0, 5, { busyMs: 0.05 })
    now = 1
    settled(1, 0, 2, { from: 5, busyMs: 0.02 })
    expect(tick(5)).toEqual([])
    expect(scheduler.nextWake()).toBe(6)
    expect(tick(6)).toEqual(['return 0'])
  })
})

describe('an aborted call', () => {
  it('cancels what is in workers and ends when it does not run any more', () => {
    boot()
    open()
    supply(0, 3)
    expect(handle({ type: 'abort', call: 1 })).toEqual(['cancel 0: 1'])
    expect(handle({ type: 'cancelled', worker: 0, ids: [1], begun: [1] })).toEqual([
      'cancelled 1: 1 from 0, attempt 1',
      'end 1: aborted',
    ])
    expect(scheduler.nextWake()).toBeUndefined()
  })

  it('has a worker that does not cancel in time killed', () => {
    boot()
    open()
    supply(0, 3)
    now = 10
    handle({ type: 'abort', call: 1 })
    expect(tick(2_010)).toEqual(['kill 0: SIGKILL'])
    expect(handle({ type: 'exited', worker: 0, ...KILLED })).toEqual([
      'cancelled 1: 3 from 0, attempt 1',
      'end 1: aborted',
    ])
  })

  it('reports what had begun of it: by the answer of its worker, or by the record of one that was killed', () => {
    boot({ concurrency: 2 })
    open(1, { chunkSize: 3 })
    supply(0, 3)
    supply(3, 3)
    handle({ type: 'abort', call: 1 })
    expect(settled(1, 0, 1)).toEqual(['cancelled 1: 1 from 0, attempt 1'])
    expect(handle({ type: 'cancelled', worker: 0, ids: [1], begun: [2] })).toContain(
      'cancelled 1: 1 from 1, attempt 1',
    )
    const record = { outcomes: [], running: [{ id: 2, offset: 1, forMs: 5 }], unrecorded: [] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'cancelled 1: 2 from 3, attempt 1',
      'end 1: aborted',
    ])
    expect(latest[0]).toMatchObject({ cancelled: { from: 0, count: 2, ms: 5, pid: 1000 } })
  })

  it('reports an item that waits for its next attempt', () => {
    boot()
    open(1, { retry: { retries: 2, delayMs: 1_000, on: ['error'] } })
    supply(0, 1)
    settled(1, 0, 1, { failures: [{ offset: 0, failure: FAILURE }] })
    expect(handle({ type: 'abort', call: 1 })).toContain('cancelled 1: 1 from 0, attempt 1')
  })

  it('reports what may have begun in a worker that crashed, although another worker has not begun it', () => {
    boot()
    open()
    supply(0, 3)
    const record = { outcomes: [], running: [], unrecorded: [1] }
    handle({ type: 'exited', worker: 0, ...KILLED, record })
    expect(handle({ type: 'abort', call: 1 })).toContain('cancelled 1: 3 from 0, attempt 1')
  })
})

describe('a worker without a flight record that crashes', () => {
  const crash = () => handle({ type: 'exited', worker: 0, ...KILLED })

  /** Items are so cheap that it has a chunk that may run, and a prefetched one. */
  function prefetch(options: Partial<SchedulerOptions> = {}): void {
    boot(options)
    open(1, { chunkSize: 2 })
    supply(0, 2)
    settled(1, 0, 2, { busyMs: 0.01 })
    supply(2, 2)
    supply(4, 2)
  }

  it.each<[how: string, maxRestarts: number, end: () => string[]]>([
    ['an aborted call', 16, () => handle({ type: 'abort', call: 1 })],
    ['a drained call', 16, () => handle({ type: 'drain', call: 1 })],
    ['a terminated pool', 16, () => handle({ type: 'terminate' })],
    ['a pool without restarts left', 0, () => []],
  ])('may have begun all that it had, which counts as cancelled in %s', (_, maxRestarts, end) => {
    prefetch({ maxRestarts })
    const ended = [...crash(), ...end()].filter((line) => line.startsWith('cancelled'))
    expect(ended.sort()).toEqual([
      'cancelled 1: 1 from 2, attempt 1',
      'cancelled 1: 1 from 3, attempt 1',
      'cancelled 1: 2 from 4, attempt 1',
    ])
  })

  it('has not begun what it had prefetched if it announced its exit', () => {
    prefetch()
    const notice = { uncaughtError: UNCAUGHT, exitCallStack: undefined }
    handle({ type: 'exit-announced', worker: 0, notice })
    expect(crash()).toEqual(['settle 1: 1 from 2 crash', 'spawn 0'])
    expect(handle({ type: 'abort', call: 1 })).toEqual(['end 1: aborted'])
  })
})

describe('a drained call', () => {
  it('drains the workers that have chunks of it and is done when they have', () => {
    boot()
    open()
    supply(0, 3)
    expect(handle({ type: 'drain', call: 1 })).toEqual(['return 0'])
    expect(settled(1, 0, 1)).toEqual(['settle 1: 1 from 0'])
    expect(handle({ type: 'cancelled', worker: 0, ids: [1], begun: [1] })).toEqual(['end 1: done'])
  })
})

describe('close', () => {
  it('stops idle workers, kills starting ones and is closed when all have exited', () => {
    open()
    handle({ type: 'ready', worker: 0, exports: EXPORTS })
    end()
    expect(handle({ type: 'close' })).toEqual(['stop 0', 'kill 1: SIGKILL'])
    expect(handle({ type: 'exited', worker: 1, ...KILLED })).toEqual([])
    expect(handle({ type: 'exited', worker: 0, exitCode: 0, signal: null, stderrTail: [] })).toEqual([
      'closed',
    ])
    expect(handle({ type: 'close' })).toEqual([])
  })

  it('waits for open calls and refuses new ones', () => {
    boot()
    open()
    expect(handle({ type: 'close' })).toEqual([])
    expect(open(2)).toEqual(['end 2: terminated'])
    expect(end()).toEqual(['end 1: done', 'stop 0'])
  })

  it('of a pool that started nothing is immediate', () => {
    expect(handle({ type: 'close' })).toEqual(['closed'])
  })
})

describe('terminate', () => {
  it('ends all calls and asks workers to exit', () => {
    boot()
    open()
    supply(0, 3)
    expect(handle({ type: 'terminate' })).toEqual(['end 1: terminated', 'terminate 0'])
    expect(settled(1, 0, 3)).toEqual(['cancelled 1: 3 from 0, attempt 1'])
    expect(handle({ type: 'exited', worker: 0, exitCode: 0, signal: null, stderrTail: [] })).toEqual([
      'closed',
    ])
  })

  it('reports the items that had begun once their worker has exited, as it counted them', () => {
    boot()
    open()
    supply(0, 3)
    handle({ type: 'terminate' })
    expect(handle({ type: 'cancelled', worker: 0, ids: [1], begun: [2] })).toEqual([])
    const record = { outcomes: [], running: [], unrecorded: [1] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'cancelled 1: 2 from 0, attempt 1',
      'closed',
    ])
  })

  it('ends an aborted call as aborted', () => {
    boot()
    open()
    supply(0, 3)
    handle({ type: 'abort', call: 1 })
    expect(handle({ type: 'terminate' })).toEqual(['end 1: aborted', 'terminate 0'])
  })
})

describe('kill', () => {
  it('sends SIGKILL in every state', () => {
    boot()
    open()
    supply(0, 3)
    expect(handle({ type: 'kill' })).toEqual(['end 1: terminated', 'terminate 0', 'kill 0: SIGKILL'])
  })
})

describe('running', () => {
  it('counts the chunks that can be running', () => {
    boot({ concurrency: 2 })
    open(1, { chunkSize: 1 })
    for (const seq of [0, 1, 2]) supply(seq, 1)
    expect(scheduler.running).toBe(2)
    settled(1, 0, 1)
    expect(scheduler.running).toBe(2)
  })
})

const NO_RECORD = { outcomes: [], running: [], unrecorded: [] }
const readyAgain = () => handle({ type: 'ready', worker: 0, exports: EXPORTS })

describe('a gap in what a worker has settled', () => {
  beforeEach(() => {
    boot()
    open()
    supply(0, 6)
  })

  it('in the record of an exited worker fails the items in it, and keeps those behind it', () => {
    const outcomes = [resultsOf(1, 0, 1), resultsOf(1, 0, 1, { from: 3 })]
    const record = { ...NO_RECORD, outcomes }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0',
      'settle 1: 1 from 1 crash',
      'settle 1: 1 from 2 crash',
      'settle 1: 1 from 3',
      'spawn 0',
    ])
    expect(readyAgain()[0]).toBe('run 0: 1 from 4')
  })

  it('of items that have begun and whose outcomes are nowhere fails them', () => {
    const record = { ...NO_RECORD, begun: [{ id: 1, upTo: 2 }] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 0 crash',
      'settle 1: 1 from 1 crash',
      'spawn 0',
    ])
    expect(readyAgain()).toEqual(['run 0: 4 from 2'])
  })

  it('is retried where crashes are', () => {
    boot()
    open(1, { retry: { retries: 1, delayMs: 0, on: ['crash'] } })
    supply(0, 2)
    const record = { ...NO_RECORD, outcomes: [resultsOf(1, 0, 1, { from: 1 })] }
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record })).toEqual([
      'settle 1: 1 from 1',
      'spawn 0',
    ])
    expect(readyAgain()[0]).toBe('run 0: 1 from 0, attempt 2')
  })

  it.each([
    ['begins behind the last one', { from: 2 }, 2],
    ['is longer than its chunk', { count: 9 }, 7],
    ['has more results than items', { count: 1 }, 3],
    ['is empty', { count: 0 }, 0],
  ])('of a worker that lives, in a range that %s, is a crash of the first item', (_, changes, values) => {
    expect(settled(1, 0, values, changes)).toEqual(['kill 0: SIGKILL'])
    expect(settled(1, 0, 1)).toEqual(['settle 1: 1 from 0'])
  })

  it('of a worker that lives fails the items that it left out, and no other', () => {
    expect(settled(1, 0, 2, { from: 2 })).toEqual(['kill 0: SIGKILL'])
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record: NO_RECORD })).toEqual([
      'settle 1: 1 from 0 crash',
      'settle 1: 1 from 1 crash',
      'spawn 0',
    ])
    expect(readyAgain()).toEqual(['run 0: 4 from 2'])
  })
})

describe('a flight recorder that failed', () => {
  it('is not relied on: what has not settled may have begun', () => {
    boot()
    open()
    supply(0, 1)
    expect(handle({ type: 'recorder-failed', worker: 0 })).toEqual([])
    expect(handle({ type: 'exited', worker: 0, ...KILLED, record: NO_RECORD })).toEqual([
      'settle 1: 1 from 0 crash',
      'spawn 0',
    ])
  })
})

describe('a chunk that crashes its worker before any of its items begins', () => {
  const crashes = () => handle({ type: 'exited', worker: 0, ...KILLED, record: NO_RECORD })

  it('is split, and the item at fault fails alone', () => {
    boot()
    open()
    supply(0, 3)
    expect(crashes()).toEqual(['spawn 0'])
    // Nothing else is in the worker meanwhile.
    expect(readyAgain()).toEqual(['run 0: 1 from 0'])
    expect(settled(2, 0, 1)).toEqual(['settle 1: 1 from 0', 'run 0: 1 from 1'])
    expect(crashes()).toEqual(['settle 1: 1 from 1 crash', 'spawn 0'])
    expect(readyAgain()).toEqual(['run 0: 1 from 2'])
    expect(settled(4, 2, 1)).toEqual(['settle 1: 1 from 2', 'pull 1'])
  })

  it('takes few crashes however large it is', () => {
    boot({ maxRestarts: 5 })
    open()
    supply(0, 16_384)
    const failed: string[] = []
    let id = 1
    crashes()
    for (let run = readyAgain()[0]; run !== undefined && failed.length === 0; ) {
      const [, count, from] = /run 0: (\d+) from (\d+)/.exec(run)!.map(Number) as [number, number, number]
      id++
      if (from <= 9_999 && 9_999 < from + count) {
        failed.push(...crashes().filter((line) => line.includes('crash')))
        run = readyAgain()[0]!
      } else run = settled(id, from, count)[1]!
    }
    expect(failed).toEqual(['settle 1: 1 from 9999 crash'])
  })

  it('does not run next to others', () => {
    create({ processes: 1, concurrency: 2 })
    handle({ type: 'start', count: 1 })
    handle({ type: 'ready', worker: 0, exports: EXPORTS })
    open(1, { chunkSize: 1 })
    supply(0, 1)
    supply(1, 1)
    crashes()
    expect(readyAgain()).toEqual(['run 0: 1 from 0'])
    expect(settled(3, 0, 1)).toContain('run 0: 1 from 1')
  })
})

describe('the budget of restarts', () => {
  const running = (id: number) => ({ ...NO_RECORD, running: [{ id, offset: 0, forMs: 1 }] })

  function crashOf(id: number): string[] {
    return handle({ type: 'exited', worker: 0, ...KILLED, record: running(id) })
  }

  it('is refilled by one for every 100 items that settle without a crash', () => {
    boot({ maxRestarts: 1 })
    open()
    supply(0, 1)
    expect(crashOf(1)).toContain('spawn 0')
    readyAgain()
    supply(1, 100)
    settled(2, 1, 100)
    supply(101, 1)
    expect(crashOf(3)).toContain('spawn 0')
    readyAgain()
    supply(102, 99)
    settled(4, 102, 99)
    supply(201, 1)
    expect(crashOf(5)).toContain('end 1: fault')
  })

  it('is never more than full', () => {
    boot({ maxRestarts: 0 })
    open()
    supply(0, 1_000)
    settled(1, 0, 1_000)
    supply(1_000, 1)
    expect(crashOf(2)).toContain('end 1: fault')
  })

  it('may be without limit', () => {
    boot({ maxRestarts: Number.POSITIVE_INFINITY })
    open()
    supply(0, 1)
    for (let id = 1; id <= 100; id++) {
      expect(crashOf(id)).toContain('spawn 0')
      readyAgain()
      supply(id, 1)
    }
  })
})
