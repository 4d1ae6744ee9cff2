// A runner by a clock that tests move, chunks to run, and what became of their items.
import { expect } from 'vitest'
import type { Clock } from '../../../src/clock.js'
import type { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Calling, Payload, Results } from '../../../src/model.js'
import { Cost } from '../../../src/worker/cost.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { Runner, type RunnerOptions } from '../../../src/worker/runner.js'
import { installCurrentTask, type Task } from '../../../src/worker/task-context.js'

export class FakeClock implements Clock {
  #now = 0
  #timers: { at: number; wake: () => void }[] = []

  // Bound: callers may take it off the clock.
  now = () => this.#now

  wakeAt(at: number, wake: () => void) {
    const timer = { at, wake }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Time that a task takes: no timer fires while it runs. */
  spend(ms: number): void {
    this.#now += ms
  }

  /** Time in which nothing runs. */
  advance(ms: number): void {
    this.spend(ms)
    const due = this.#timers.filter(({ at }) => at <= this.#now)
    this.#timers = this.#timers.filter(({ at }) => at > this.#now)
    for (const { wake } of due) wake()
  }
}

/** A turn of the event loop. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Of a task whose items are too cheap to be recorded. */
export function cheapCost(): Cost {
  const cost = new Cost()
  for (let i = 0; i < 16; i++) cost.add(0)
  cost.update()
  return cost
}

export interface ChunkOptions {
  readonly calling?: Calling
  readonly reply?: Results['kind']
  readonly index?: ChunkMessage['index']
  readonly attempt?: number
  readonly name?: string
  readonly raw?: boolean
  readonly timed?: boolean | 'durations'
  readonly timeoutMs?: number
  readonly recordEachItem?: boolean
  readonly isSmall?: boolean
}

let nextId = 1
function chunkOf(payload: Payload, count: number, options: ChunkOptions): ChunkMessage {
  const {
    calling = 'item',
    reply = 'values',
    index = 0,
    attempt = 1,
    name = 'default',
    raw = false,
    timed = false,
    timeoutMs,
    recordEachItem = false,
    isSmall = false,
  } = options
  return {
    id: nextId++,
    task: { name, calling, reply, raw, timed },
    count,
    index,
    attempt,
    recordEachItem,
    isSmall,
    ...(timeoutMs !== undefined && { timeoutMs }),
    payload,
  }
}

export const chunkOfValues = (list: readonly unknown[], options: ChunkOptions = {}) =>
  chunkOf({ kind: 'values', values: list }, list.length, options)

export const chunkOfText = (lines: string, count: number, options: ChunkOptions = {}) =>
  chunkOf({ kind: 'bytes', bytes: Buffer.from(lines), framing: 'ndjson' }, count, options)

interface RunnerSetUp
  extends Partial<Pick<RunnerOptions, 'concurrency' | 'onStartItem' | 'validate' | 'shouldRetry'>> {
  readonly clock?: FakeClock
  readonly recorder?: FlightRecorder | undefined
  readonly tasks?: Record<string, Task>
  /** As the worker's entry would, before the message counts as sent. */
  readonly onSend?: () => void
}

/** A runner whose messages leave the process as soon as they are sent. */
export function setUpRunner(task: Task, options: RunnerSetUp = {}) {
  const { concurrency = 1, onStartItem, validate, shouldRetry, tasks = {}, recorder, onSend } = options
  const { clock = new FakeClock() } = options
  const sent: ResultsMessage[] = []
  const cancelled: number[] = []
  const returned: { kept: Record<number, number>; waits: boolean }[] = []
  /** By chunk: how many of its items had begun when it was reported as cancelled. */
  const begun = new Map<number, number>()
  // Clones as Node's channel does, and so refuses what that refuses.
  const send = (messages: readonly ResultsMessage[]) => {
    sent.push(...structuredClone(messages))
    onSend?.()
    return Promise.resolve()
  }
  const outbox = new Outbox({ send, recorder, clock })
  const runner = new Runner({
    concurrency,
    workerId: 4,
    outbox,
    recorder,
    clock,
    callTask: installCurrentTask(concurrency),
    getTask: (name) => tasks[name] ?? task,
    validate,
    shouldRetry,
    onStartItem,
    onCancelled(runs) {
      cancelled.push(...runs.map(({ id }) => id))
      for (const run of runs) begun.set(run.id, run.begun)
    },
    onReturned(runs, waits) {
      returned.push({ kept: Object.fromEntries(runs.map(({ id, count }) => [id, count])), waits })
    },
  })
  return {
    runner,
    outbox,
    clock,
    sent,
    cancelled,
    returned,
    begun,
    /** Runs the chunks to their end and sends everything. */
    async runAll(...chunks: ChunkMessage[]) {
      runner.run(chunks)
      await runner.idle()
      await outbox.flush()
      return sent
    },
  }
}

/** Values and failures of one chunk, each at its offset. */
export function outcomesOf(sent: readonly ResultsMessage[], id: number): unknown[] {
  let next = 0
  const outcomes: unknown[] = []
  for (const { from, count, results, failures } of sent.filter((message) => message.id === id)) {
    expect(from, 'a gap, or an item twice').toBe(next)
    next += count
    if (results.kind === 'values') outcomes.push(...results.values)
    for (const { offset, failure } of failures)
      outcomes[offset] = failure.kind === 'error' ? failure.error : failure
  }
  return outcomes
}

/** The lines of JSON in messages, in the order in which they were sent. */
export const linesOf = (sent: readonly ResultsMessage[]): string =>
  sent.map(({ results }) => (results.kind === 'json' ? Buffer.from(results.bytes) : '')).join('')
