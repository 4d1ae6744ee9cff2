// Whatever happens in whatever order: each accepted item settles once, every call ends, `closed` comes when all workers
// have exited, nothing begins twice, nothing that has ended is lost. Random steps, shrunk when they fail.
import { afterAll, beforeAll, describe, test } from 'vitest'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { checkWorkerTables } from './checked-worker-table.js'
import type { Behaviour, ModelWorker } from './model-worker.js'
import { type CallPlan, World, type WorldOptions } from './world.js'

/** More for a night: `POOLRUN_SEED=$RANDOM POOLRUN_RUNS=100000 npx vitest run test/unit/executor/invariants.test.ts`. */
const RUNS = runs(400)
/** Fixed, so that an unrelated change cannot fail. A seed that fails is added as a case, named after what it found. */
const SEEDS: readonly (readonly [name: string, seed: number])[] =
  process.env.POOLRUN_SEED === undefined
    ? [
        ['first', 20_240],
        ['second', 1_618],
        ['third', 27_182],
        ['fourth', 314_159],
      ]
    : [['POOLRUN_SEED', Number(process.env.POOLRUN_SEED)]]

let uncheck = () => {}
beforeAll(() => {
  uncheck = checkWorkerTables((what) => {
    throw new Error(what)
  })
})
afterAll(() => uncheck())

const behaviour = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Behaviour>('succeeds') },
  { weight: 2, arbitrary: fc.constantFrom<Behaviour>('fails', 'large') },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Behaviour>('dies', 'exits', 'hangs', 'listens', 'blocks', 'breaks'),
  },
)

const call: fc.Arbitrary<CallPlan> = fc.record({
  items: fc.nat(40),
  chunkSize: fc.constantFrom(undefined, 1, 2, 5, 17),
  timeoutMs: fc.constantFrom(undefined, 50, 500),
  retry: fc.constantFrom(
    undefined,
    { retries: 1, delayMs: 0, on: ['error', 'crash', 'timeout', 'oom'] as const },
    { retries: 3, delayMs: 20, on: ['error'] as const },
    { retries: 1, delayMs: 5, on: ['crash', 'encoding'] as const },
  ),
  behaviours: fc.array(fc.array(behaviour, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
  unsendable: fc.oneof(
    { weight: 4, arbitrary: fc.constant([false]) },
    fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }),
  ),
  cheap: fc.boolean(),
  slow: fc.boolean(),
  sized: fc.boolean(),
})

const options: fc.Arbitrary<WorldOptions> = fc.record({
  processes: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(1, 1, 2, 3),
  initTimeoutMs: fc.constant(1_000),
  killAfterMs: fc.constantFrom(0, 50, 2_000),
  maxRestarts: fc.constantFrom(0, 2, 1_000, 1_000, 1_000),
  bootLimit: fc.constantFrom(undefined, 1, 2),
  promptWorkers: fc.constantFrom(undefined, undefined, 1, 2),
  maxTasksPerChild: fc.constantFrom(undefined, undefined, 1, 4, 10),
  maxMemoryBytes: fc.constantFrom(undefined, 1_000),
  records: fc.constantFrom(true, true, true, false),
  heartbeat: fc.constantFrom(true, true, true, false),
  finalizerHangs: fc.constantFrom(false, false, false, true),
})

type Step =
  | {
      readonly do: 'work' | 'deliver' | 'hear' | 'leave' | 'flush'
      readonly at: number
      readonly times: number
    }
  | { readonly do: 'boot' | 'answer' | 'sigkill' | 'sigstop' | 'memory'; readonly at: number }
  | { readonly do: 'time'; readonly ms: number }
  | { readonly do: 'open'; readonly plan: CallPlan }
  | { readonly do: 'abort' | 'drain'; readonly at: number }
  | { readonly do: 'start' | 'close' | 'terminate' | 'kill' | 'break' }

const at = fc.nat(7)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constantFrom('work', 'work', 'work', 'deliver', 'hear', 'leave', 'flush'),
      at,
      times: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('boot', 'boot', 'answer'), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('sigkill', 'sigkill', 'sigstop', 'memory'), at }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('time'), ms: fc.constantFrom(1, 20, 60, 600, 3_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open'), plan: call }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('abort', 'drain'), at }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('start', 'start', 'close', 'terminate', 'kill', 'break') }),
  },
)

const turn = async () => {
  for (let n = 0; n < 4; n++) await undefined
}

function alive(world: World): ModelWorker[] {
  return world.workers.filter((worker) => worker !== undefined)
}

async function perform(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'time':
      return world.tick(world.now + step.ms)
    case 'open':
      return void world.open(step.plan)
    case 'start':
      return world.post({ type: 'start', count: 2 })
    case 'close':
    case 'terminate':
    case 'kill':
      return world.end(step.do)
    case 'abort':
    case 'drain':
    case 'answer': {
      const target = world.calls[step.at % Math.max(1, world.calls.length)]
      if (target === undefined) return
      if (step.do === 'answer') world.answer(target)
      else world[step.do](target)
      return
    }
    case 'break': {
      const starting = world.workers.findIndex((worker) => worker?.alive === true && !worker.ready)
      if (starting >= 0) world.post({ type: 'init-failed', worker: starting, stage: 'load', error: NO_JOB })
      return
    }
    default:
  }
  const workers = alive(world)
  const worker = workers[step.at % Math.max(1, workers.length)]
  if (worker === undefined) return
  if ('times' in step) {
    for (let n = 0; n < step.times; n++) {
      if (step.do === 'work') worker.step(step.at, n % 5 === 4)
      else if (step.do === 'deliver') world.deliver(worker)
      else worker[step.do]()
      await turn()
    }
    return
  }
  switch (step.do) {
    case 'boot':
      return void world.boot(worker)
    case 'sigkill':
      return worker.kill('SIGKILL')
    case 'sigstop':
      worker.stopped = worker.ready
      return
    case 'memory':
      return world.post({ type: 'memory', worker: world.workers.indexOf(worker), rss: 2_000 })
    default:
    // The others are above.
  }
}

const NO_JOB = { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' } as const

/** After so many ticks, and so much time, without any other progress nothing more is expected. */
const MAX_IDLE_TICKS = 50
const MAX_IDLE_MS = 20_000

/** Everything that can continue does. Time passes only when nothing else can happen. */
async function settleDown(world: World): Promise<void> {
  let ticks = 0
  let movedAt = world.now
  for (let n = 0; ticks < MAX_IDLE_TICKS || world.now - movedAt < MAX_IDLE_MS; n++) {
    if (n > 20_000) throw new Error('it never ends')
    let moved = false
    for (const call of world.calls) moved = world.answer(call) || moved
    for (const worker of alive(world)) {
      moved = world.boot(worker) || moved
      moved = worker.hear() || moved
      moved = worker.step(n, false) || moved
      moved = worker.leave() || moved
      moved = world.deliver(worker) || moved
      await turn()
    }
    if (!moved) for (const worker of alive(world)) moved = worker.flush() || moved
    if (moved) {
      ticks = 0
      movedAt = world.now
      continue
    }
    world.checkIdleWorkers()
    if (world.wake === undefined) return
    ticks++
    world.tick(world.wake)
  }
}

async function holds(worldOptions: WorldOptions, first: CallPlan, steps: readonly Step[]): Promise<void> {
  const world = new World(worldOptions)
  try {
    world.open(first)
    for (const step of steps) {
      await perform(world, step)
      await turn()
    }
    await settleDown(world)
    for (const worker of alive(world)) worker.stopped = false
    await settleDown(world)
    const stuck = world.calls.filter(({ end }) => end === undefined)
    if (stuck.length > 0 && !alive(world).some((worker) => worker.hangs))
      throw new Error(`nothing hangs, and call ${stuck[0]!.id} does not end`)
    for (const call of stuck) world.abort(call)
    await settleDown(world)
    world.end('close')
    await settleDown(world)
    world.check()
  } finally {
    // Closes their files.
    for (const worker of alive(world)) {
      worker.stopped = false
      worker.kill('SIGKILL')
    }
  }
}

describe('whatever happens', () => {
  test.each(SEEDS)(
    'each item settles once, nothing begins twice, every call ends (%s seed, %i)',
    { timeout: 3_600_000 },
    async (_, seed) => {
      await fc.assert(
        fc.asyncProperty(options, call, fc.array(step, { maxLength: 120, size: 'max' }), holds),
        { seed, numRuns: RUNS },
      )
    },
  )
})
