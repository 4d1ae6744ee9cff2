// The executor with model workers behind its transport and a clock moved by hand: what it adds to the scheduler (timers,
// sources, promises, the order of what happens) must not lose an item either. Random steps, as in invariants.test.ts.
import { expect, test } from 'vitest'
import { LocalExecutor } from '../../../src/executor/local-executor.js'
import type { SettledRange } from '../../../src/model.js'
import type { TransportEvent } from '../../../src/transport/transport.js'
import fc from '../../helpers/fast-check.js'
import { runs } from '../../helpers/random.js'
import { ago, ManualClock, numbers, range, sorted, task } from './fakes.js'
import { type Behaviour, ModelWorker } from './model-worker.js'

const RUNS = runs(150)
/** Fixed, as in invariants.test.ts. */
const SEEDS =
  process.env.POOLRUN_SEED === undefined ? [20_240, 1_618, 27_182] : [Number(process.env.POOLRUN_SEED)]
const TIMEOUT_MS = 100

interface Worker {
  readonly model: ModelWorker
  deliver(): boolean
}

interface Plan {
  readonly processes: number
  readonly concurrency: number
  readonly items: number
  readonly chunkSize: number
  readonly behaviours: readonly Behaviour[]
  readonly slow: boolean
}

function createWorld({ processes, concurrency, items, chunkSize, behaviours, slow }: Plan) {
  const clock = new ManualClock()
  const workers = new Map<number, Worker>()
  const begunAt = new Map<string, number>()
  const began = new Map<number, number>()
  const settled: SettledRange[] = []
  let pid = 1000

  const spawn = (inbox: (event: TransportEvent) => void, id: number) => {
    const model = new ModelWorker({
      pid: pid++,
      concurrency,
      records: true,
      finalizerHangs: false,
      isCheap: () => false,
      witness: {
        behaviour: ({ index }, offset) => behaviours[((index as number) + offset) % behaviours.length]!,
        begins: ({ id: chunk, index }, offset) => {
          const item = (index as number) + offset
          began.set(item, (began.get(item) ?? 0) + 1)
          begunAt.set(`${chunk}/${offset}`, clock.now())
        },
        isSafe: () => {},
      },
    })
    const known = (recorded: ReturnType<ModelWorker['inspect']>) =>
      recorded && {
        ...recorded,
        running: recorded.running.map((item) => ({
          ...item,
          since: ago(clock.now() - begunAt.get(`${item.id}/${item.offset}`)!),
        })),
      }
    workers.set(id, {
      model,
      deliver() {
        const said = model.said.shift()
        if (said === undefined) return false
        if (said.type !== 'gone') inbox({ type: 'message', message: { ...said, token: '' } as never })
        else {
          workers.delete(id)
          inbox({ ...said, type: 'exited', stderrTail: [], recorded: known(said.recorded) })
        }
        return true
      },
    })
    return {
      pid: model.pid,
      token: '',
      recorder: undefined,
      send: (message: Parameters<ModelWorker['inbox']['push']>[0]) => void model.inbox.push(message),
      inspect: () => known(model.inspect()),
      kill: (signal: NodeJS.Signals) => model.kill(signal),
      readOutput() {},
      ref() {},
    }
  }

  const source = numbers(items)
  const answers: (() => void)[] = []
  const executor = new LocalExecutor({
    processes,
    concurrency,
    initTimeoutMs: 60_000,
    killAfterMs: 50,
    maxRestarts: 10_000,
    transport: { spawn },
    job: Promise.resolve({ url: 'file:///job.mjs', isCompiled: true }),
    initArgs: [],
    markOutput: false,
    emit: () => {},
    clock,
  })
  const execute = () =>
    executor.execute({
      task,
      chunkSize,
      timeoutMs: TIMEOUT_MS,
      signal: new AbortController().signal,
      onSettled: (one) => void settled.push(one),
      source: !slow
        ? source
        : {
            close() {},
            next: (want) => new Promise((resolve) => answers.push(() => resolve(source.next(want)))),
          },
    })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

  const work = async (n: number) => {
    answers.shift()?.()
    await turn()
    for (const { model, deliver } of [...workers.values()]) {
      if (model.alive && !model.ready) model.boot()
      model.hear()
      model.step(n, n % 7 === 3)
      if (n % 3 === 0) model.flush()
      model.leave()
      deliver()
    }
    clock.advance(1)
  }
  return { executor, execute, work, workers, settled, began }
}

const behaviour = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Behaviour>('succeeds') },
  { weight: 2, arbitrary: fc.constantFrom<Behaviour>('fails', 'large', 'dies', 'exits') },
  { weight: 1, arbitrary: fc.constantFrom<Behaviour>('hangs', 'listens', 'blocks') },
)

const plan: fc.Arbitrary<Plan> = fc.record({
  processes: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  items: fc.nat(12),
  chunkSize: fc.integer({ min: 1, max: 6 }),
  behaviours: fc.array(behaviour, { minLength: 1, maxLength: 6 }),
  slow: fc.boolean(),
})

test.each(SEEDS)(
  'each item settles once and begins once at most, the call resolves, close resolves (seed %i)',
  {
    timeout: 3_600_000,
  },
  async (seed) => {
    await fc.assert(
      fc.asyncProperty(plan, fc.array(fc.nat(60), { maxLength: 3 }), async (drawn, killsAt) => {
        const { executor, execute, work, workers, settled, began } = createWorld(drawn)
        const over = { call: false, all: false }
        const ended = execute()
          .then(() => {
            over.call = true
            return executor.close()
          })
          .then(() => {
            over.all = true
          })
        for (let n = 0; !over.all; n++) {
          if (n === 5_000) throw new Error(over.call ? 'close never resolves' : 'the call never resolves')
          if (killsAt.includes(n))
            for (const { model } of workers.values()) if (model.ready) model.kill('SIGKILL')
          await work(n)
        }
        await ended
        const indexes = settled.flatMap(({ chunk, from, count }) =>
          range(count).map((i) => chunk.seq + from + i),
        )
        expect(sorted(indexes)).toEqual(range(drawn.items))
        expect([...began.values()].filter((times) => times > 1)).toEqual([])
        expect(workers.size).toBe(0)
      }),
      { seed, numRuns: RUNS },
    )
  },
)
