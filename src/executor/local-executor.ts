// Runs calls in local worker processes: feeds everything that happens into the scheduler, and has the commands that it
// returns performed on the executions of the callers and on the processes of the workers.
import type { Clock } from '../clock.js'
import type { Ms, WorkerActivity } from '../model.js'
import { processors } from '../processors.js'
import type { MemoryProbe } from '../transport/memory-probe.js'
import { readActivity } from './activity.js'
import { Executions } from './executions.js'
import type { Execution, Executor } from './executor.js'
import { watchMemory } from './memory-watch.js'
import { RunClock } from './run-clock.js'
import type { Command, SchedulerInput } from './scheduler/messages.js'
import { Scheduler, type SchedulerOptions } from './scheduler/scheduler.js'
import { type ProcessOptions, WorkerProcesses } from './worker-processes.js'

export interface LocalOptions extends SchedulerOptions, ProcessOptions {
  /** Measures the memory of workers, where it is limited. */
  readonly memoryProbe?: MemoryProbe | undefined
  /** Called with each command before it is performed. */
  readonly trace?: ((command: Command) => void) | undefined
  readonly clock?: Clock
}

/** Workers that start at a time. Loading a job keeps a core busy: a thousand at a time would all be ready later. */
const BOOT_LIMIT = Math.max(8, 2 * processors().count)

export class LocalExecutor implements Executor {
  readonly #options: LocalOptions
  readonly #clock: RunClock
  readonly #scheduler: Scheduler
  readonly #executions: Executions
  readonly #processes: WorkerProcesses
  #inputs: SchedulerInput[] = []
  #isHandling = false
  readonly #closed: Promise<void>
  #resolveClosed!: () => void

  constructor(options: LocalOptions) {
    this.#options = options
    this.#clock = new RunClock(options.clock)
    this.#scheduler = new Scheduler({ bootLimit: BOOT_LIMIT, ...options })
    const post = (input: SchedulerInput) => this.#post(input)
    this.#executions = new Executions(post)
    const isLoading = (worker: number) => this.#isLoading(worker)
    this.#processes = new WorkerProcesses(options, this.#clock, post, isLoading)
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    if (options.memoryProbe !== undefined) this.#watchMemory(options.memoryProbe)
  }

  execute(execution: Execution): Promise<void> {
    return this.#executions.open(execution)
  }

  start(count: number): void {
    this.#post({ type: 'start', count })
  }

  get running(): number {
    return this.#scheduler.running
  }

  get pausedForMs(): Ms | undefined {
    const { pausedUntil } = this.#scheduler
    return pausedUntil === undefined ? undefined : Math.max(0, pausedUntil - this.#clock.now())
  }

  /** Reads the flight recorders of silent workers. */
  activity(): WorkerActivity[] {
    const { workers } = this.#scheduler
    const { concurrency } = this.#options
    return readActivity(workers, concurrency, this.#clock.now(), (worker) => this.#processes.inspect(worker))
  }

  suspend(): void {
    this.#clock.pause()
    this.#processes.signalAll('SIGSTOP')
  }

  resume(): void {
    this.#clock.resume()
    this.#processes.signalAll('SIGCONT')
    this.#setTimer()
  }

  readOutput(on: boolean): void {
    this.#processes.readOutput(on)
  }

  close(): Promise<void> {
    return this.#end({ type: 'close' })
  }

  kill(): Promise<void> {
    return this.#end({ type: 'kill' })
  }

  terminate(why?: string): Promise<void> {
    return this.#end({ type: 'terminate', why })
  }

  #end(input: Extract<SchedulerInput, { type: 'close' | 'terminate' | 'kill' }>): Promise<void> {
    this.#executions.expectEnd()
    this.#post(input)
    return this.#closed
  }

  // ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #post(input: SchedulerInput): void {
    this.#inputs.push(input)
    if (this.#isHandling) return
    this.#isHandling = true
    const { chunks } = this.#processes
    try {
      // Performing a command can post further inputs. They are handled after it, in order.
      for (let i = 0; i < this.#inputs.length; i++)
        for (const command of this.#scheduler.handle(this.#inputs[i]!, this.#clock.now()))
          this.#perform(command)
    } catch (error) {
      chunks.discardAll()
      throw error
    } finally {
      // Whatever throws here is a bug. It must not become a hang as well.
      this.#inputs = []
      this.#isHandling = false
    }
    if (input.type === 'open') chunks.flushSoon()
    else chunks.flushAll()
    this.#setTimer()
    this.#setKeepAlive()
  }

  #perform(command: Command): void {
    this.#options.trace?.(command)
    switch (command.type) {
      case 'pull':
      case 'settle':
      case 'held':
      case 'cancelled':
      case 'end':
        return this.#executions.perform(command)
      case 'warn':
        return this.#options.emit({ type: 'warning', warning: command.warning })
      case 'closed': {
        const { close } = this.#options.transport
        if (close === undefined) return this.#resolveClosed()
        return void close().then(this.#resolveClosed)
      }
      default:
        return this.#processes.perform(command)
    }
  }

  #setTimer(): void {
    this.#clock.setTimer(this.#scheduler.nextWake(), this.#tick)
  }

  readonly #tick = () => this.#post({ type: 'tick' })

  /**
   * Workers keep this process alive while a caller waits for them. An idle pool lets it exit, and so does a call that
   * only waits for its input: the input itself keeps the process alive if anything is to come.
   */
  #setKeepAlive(): void {
    this.#processes.keepAlive(this.#executions.needWorkers)
  }

  #isLoading(worker: number): boolean {
    const { state } = this.#scheduler.workers[worker]!
    return state.is === 'starting' && state.phase !== 'initializer'
  }

  #watchMemory(probe: MemoryProbe): void {
    const pids = () => this.#processes.pids()
    const unwatch = watchMemory(probe, pids, (worker, rss) => this.#post({ type: 'memory', worker, rss }))
    void this.#closed.then(unwatch)
  }
}
