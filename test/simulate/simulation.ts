// One simulated run: the real executor, flows, windows, policies and writers among modelled workers, inputs, readers and
// a disk. One seed decides everything; after every step the invariants are checked.
import './virtual-time.js'
// Behind it, because some of this captures globals when it is loaded.
import { PoolBrokenError } from '../../src/errors/classes.js'
import { ExecutionFault } from '../../src/executor/execution-fault.js'
import { LocalExecutor } from '../../src/executor/local-executor.js'
import type { Command, SchedulerInput } from '../../src/executor/scheduler/messages.js'
import { Scheduler } from '../../src/executor/scheduler/scheduler.js'
import { hasRoom } from '../../src/executor/scheduler/worker.js'
import type { SettledRange } from '../../src/model.js'
import type { RunPlan as LinePlan } from '../../src/plan.js'
import { resultBytes } from '../../src/policy/flow-window.js'
import { failFast, lazy } from '../../src/policy/policy.js'
import { createByteSource } from '../../src/read/byte-source.js'
import { deliverOutput } from '../../src/run/deliver-output.js'
import { type Flow, type FlowOptions, openFlow } from '../../src/run/flow.js'
import { resuming } from '../../src/run/resume.js'
import { policyFor } from '../../src/run/settings.js'
import type { ChunkSource } from '../../src/source.js'
import { createOutput } from '../../src/write/output.js'
import type { Random } from '../helpers/random.js'
import { createRandom } from '../helpers/random.js'
import { CallWitness, takeViolation, Violation, violated } from './call-witness.js'
import { Disk } from './disk.js'
import { LineReader, SimulatedStream, TornError, ValueSource, watched } from './ends.js'
import type { KeptJournal } from './kept-journal.js'
import { isPredictable, mended, planRun, type RunPlan, withJournals } from './plan.js'
import { crash, OUTPUT_FILE, openJournals, recover } from './recovery.js'
import { VirtualTime } from './virtual-time.js'
import { SimulatedWorker, type WorkerWorld } from './worker.js'

export interface Outcome {
  readonly violation: string | undefined
  /** Inputs of the scheduler. */
  readonly inputs: number
  readonly steps: number
}

/** Longer than every time limit and delay of a plan: nothing that happens later was waited for. */
const MAX_SILENCE_MS = 30_000
const MAX_STEPS = 1_000_000
/** Of the runs. They take longer, and have fewer inputs. */
const SHARE_WITH_JOURNALS = 0.06
const JOURNALS = 0x4a6f_7572
const JOB = Promise.resolve({ url: 'file:///job.mjs', isCompiled: true })

type Observer = (scheduler: Scheduler, input: SchedulerInput, commands: readonly Command[]) => void
let observe: Observer | undefined

// Everything that reaches the scheduler, and everything that it answers.
const { handle } = Scheduler.prototype
Scheduler.prototype.handle = function (input, now) {
  const commands = handle.call(this, input, now)
  observe?.(this, input, commands)
  return commands
}

export function simulate(seed: number, log?: (line: string) => void): Outcome {
  const random = createRandom(seed)
  const plan = planFor(seed, random)
  const disk = new Disk(random, plan.diskRoom)
  log?.(describe(plan))
  let inputs = 0
  let steps = 0
  let violation: string | undefined
  const journals = openJournals(plan.calls, disk, random)
  const hasJournals = journals.some((journal) => journal !== undefined)
  for (const { life, crashesAt } of livesOf(plan, hasJournals)) {
    if (life !== plan) disk.grow()
    const parent = new Parent(life, { random, disk, journals, crashesAt, log })
    try {
      parent.run()
    } catch (error) {
      violation = error instanceof Violation ? error.message : String((error as Error).stack ?? error)
    }
    inputs += parent.inputs
    steps += parent.steps
    if (violation !== undefined || !(parent.hasCrashed || hasJournals)) break
    log?.(parent.hasCrashed ? 'the parent crashes' : 'the run is resumed')
    if (parent.hasCrashed) crash(disk, journals, random)
    recover(disk, plan.calls.length)
  }
  return { violation, inputs, steps }
}

function planFor(seed: number, random: Random): RunPlan {
  const plan = planRun(random)
  const ofJournals = createRandom(seed ^ JOURNALS)
  return ofJournals.chance(SHARE_WITH_JOURNALS) ? withJournals(plan, ofJournals) : plan
}

/** The plan of each parent. With a journal, the last one is undisturbed from outside and completes the run. */
function livesOf(plan: RunPlan, hasJournals: boolean) {
  const lives: { readonly life: RunPlan; readonly crashesAt: number | undefined }[] = plan.crashesAt.map(
    (crashesAt) => ({ life: plan, crashesAt }),
  )
  lives.push({ life: plan, crashesAt: undefined })
  if (hasJournals) lives.push({ life: mended(plan), crashesAt: undefined })
  return lives
}

function describe(plan: RunPlan): string {
  return JSON.stringify(plan, (key, value) => {
    if (key === 'deeds')
      return [...value].flatMap((deed, index) => (deed === 0 ? [] : [`${index}:${deed}`])).join(' ')
    return value instanceof Set ? [...value] : value
  })
}

interface Trigger {
  readonly step: number
  readonly run: () => void
}

interface ParentOptions {
  readonly random: Random
  readonly disk: Disk
  /** By call. */
  readonly journals: readonly (KeptJournal | undefined)[]
  readonly crashesAt: number | undefined
  readonly log: ((line: string) => void) | undefined
}

interface Session {
  readonly call: CallWitness
  readonly drain: AbortController
  readonly end: AbortController
  readonly signal: AbortController
  isOver: boolean
}

class Parent implements WorkerWorld {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly plan: RunPlan
  isCalm = false
  hasCrashed = false
  inputs = 0
  steps = 0
  readonly #disk: Disk
  readonly #journals: ParentOptions['journals']
  readonly #crashesAt: number | undefined
  readonly #log: ((line: string) => void) | undefined
  readonly #executor: LocalExecutor
  readonly #workers: SimulatedWorker[] = []
  /** By place in the pool. */
  readonly #places: (SimulatedWorker | undefined)[] = []
  readonly #sessions: Session[] = []
  readonly #callsById = new Map<number, CallWitness>()
  #scheduler: Scheduler | undefined
  #triggers: Trigger[] = []
  #crashes = 0
  #progressAt = 0
  #isSuspended = false
  #isEnding = false
  #isClosed = false
  #thrown: { readonly error: unknown } | undefined
  #pids = 1000

  constructor(plan: RunPlan, { random, disk, journals, crashesAt, log }: ParentOptions) {
    this.plan = plan
    this.#journals = journals
    this.#crashesAt = crashesAt
    this.random = random
    this.#disk = disk
    this.#log = log
    this.#executor = this.time.inside(
      () =>
        new LocalExecutor({
          processes: plan.processes,
          concurrency: plan.concurrency,
          initTimeoutMs: 60_000,
          killAfterMs: plan.killAfterMs,
          maxRestarts: plan.maxRestarts,
          ...(plan.bootLimit !== undefined && { bootLimit: plan.bootLimit }),
          promptWorkers: plan.promptWorkers,
          maxTasksPerChild: plan.maxTasksPerChild,
          maxMemoryBytes: plan.maxMemoryBytes,
          heartbeat: true,
          random: () => random.next(),
          transport: { spawn: (onEvent, id) => this.#spawn(onEvent, id) },
          job: JOB,
          initArgs: [],
          markOutput: false,
          emit: () => {},
          clock: this.time,
        }),
    )
  }

  call(task: string): CallWitness {
    return this.#sessions[Number(task.slice(1))]!.call
  }

  // ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

  run(): void {
    observe = (scheduler, input, commands) => this.#observe(scheduler, input, commands)
    try {
      this.time.inside(() => this.#steps())
    } finally {
      takeViolation()
      observe = undefined
      this.time.clear()
    }
  }

  #steps(): void {
    this.#plan()
    if (this.plan.startsAhead > 0) this.#executor.start(this.plan.startsAhead)
    while (!this.#isClosed) {
      this.steps++
      if (this.#triggers[0] !== undefined && this.#triggers[0].step <= this.steps) this.#trigger()
      else if (this.time.nextAt === undefined || this.time.now() - this.#progressAt > MAX_SILENCE_MS)
        this.#unblock()
      else {
        const what = this.time.step()
        if (what === 'a reader continues' || what === 'an input continues') this.#progressAt = this.time.now()
        this.#log?.(`${this.steps} ${this.time.now().toFixed(3)} ${what}`)
      }
      if (this.hasCrashed) return
      this.#check()
      if (this.steps > MAX_STEPS) violated('it never ends')
    }
    this.#checkEnd()
  }

  #plan(): void {
    const { plan } = this
    for (const [id, call] of plan.calls.entries()) {
      const session: Session = {
        call: new CallWitness(id, call, { ...plan, isPredictable: isPredictable(plan) }, this.#journals[id]),
        drain: new AbortController(),
        end: new AbortController(),
        signal: new AbortController(),
        isOver: false,
      }
      this.#sessions.push(session)
      this.#at(call.opensAt, () => this.#open(session))
      const stop = (controller: AbortController) => () => {
        session.call.isCutShort = true
        controller.abort(new StopError(`call ${id} ends`))
      }
      if (call.drainsAt !== undefined) this.#at(call.opensAt + call.drainsAt, stop(session.drain))
      if (call.endsAt !== undefined) this.#at(call.opensAt + call.endsAt, stop(session.end))
      if (call.abortsAt !== undefined) this.#at(call.opensAt + call.abortsAt, stop(session.signal))
    }
    if (this.#crashesAt !== undefined)
      this.#at(this.#crashesAt, () => {
        this.hasCrashed = true
      })
    if (plan.suspendsAt !== undefined) this.#at(plan.suspendsAt, () => this.#suspend())
    this.#triggers.sort((a, b) => a.step - b.step)
  }

  #at(step: number, run: () => void): void {
    this.#triggers.push({ step, run })
  }

  #trigger(): void {
    this.#log?.(`${this.steps} a trigger`)
    this.#triggers.shift()!.run()
    this.time.settle()
    this.#progressAt = this.time.now()
  }

  #suspend(): void {
    if (this.#isEnding) return
    this.#isSuspended = true
    this.#executor.suspend()
    this.time.after(this.random.next() * 20_000, 'the run continues', () => {
      this.#isSuspended = false
      this.#executor.resume()
      this.#progressAt = this.time.now()
    })
  }

  /** Nothing happens any more. Where something that hangs explains it, that ends; otherwise it is a lost wake-up. */
  #unblock(): void {
    this.#progressAt = this.time.now()
    if (this.#triggers.length > 0) return this.#trigger()
    const hanging = this.#workers.filter(({ hangs }) => hangs)
    if (hanging.length === 0 || this.isCalm) violated(`nothing happens any more: ${this.#state()}`)
    this.#log?.(`${this.steps} what hangs is ended`)
    this.isCalm = true
    for (const worker of hanging) worker.continue()
    for (const session of this.#sessions)
      if (!session.isOver) {
        session.call.isCutShort = true
        session.end.abort(new StopError('it hangs'))
      }
    this.time.settle()
  }

  #state(): string {
    const calls = this.#sessions.map(({ call, isOver }) => {
      const { id, taken, settledItems, received, end } = call
      return `call ${id}: ${taken} taken, ${settledItems} settled, ${received} delivered, ${end ?? 'open'}${isOver ? ', over' : ''}`
    })
    const workers = this.#scheduler?.workers.map(({ id, state }) => `worker ${id} ${state.is}`) ?? []
    return [...calls, ...workers].join('; ')
  }

  // ── what is watched ──────────────────────────────────────────────────────────────────────────────────────────────

  #observe(scheduler: Scheduler, input: SchedulerInput, commands: readonly Command[]): void {
    this.#scheduler = scheduler
    this.inputs++
    if (this.#log !== undefined) {
      this.#log(`    ${brief(input)}`)
      for (const command of commands) this.#log(`        ${brief(command)}`)
    }
    if (input.type === 'open') this.#callsById.set(input.call, this.call(input.task.name))
    if (input.type === 'abort') this.#callsById.get(input.call)!.isAborted = true
    if (input.type === 'drain') this.#callsById.get(input.call)!.isDraining = true
    for (const command of commands) {
      switch (command.type) {
        case 'run': {
          const { id, isEnding, isDraining } = this.call(command.chunk.task.name)
          if (isEnding || isDraining) violated(`items of call ${id} are dispatched, and it is ending`)
          break
        }
        case 'settle': {
          const call = this.#callsById.get(command.call)!
          call.settles(command.settled)
          call.heldBytes += resultBytes(command.settled)
          this.#progressAt = this.time.now()
          break
        }
        case 'cancelled':
          this.#callsById.get(command.call)!.cancels(command.cancelled)
          break
        case 'end':
          this.#callsById.get(command.call)!.ends(command.end.type)
          this.#progressAt = this.time.now()
          break
        default:
      }
    }
  }

  #check(): void {
    const violation = takeViolation()
    if (violation !== undefined) throw violation
    if (this.#thrown !== undefined) throw this.#thrown.error
    for (const { call } of this.#sessions) call.checkJournal()
    if (this.#scheduler !== undefined && !this.#isSuspended && !this.#isEnding)
      this.#checkIdleWorkers(this.#scheduler)
  }

  /**
   * Once nothing can happen before time passes: no worker that could begin an item is idle while items wait in another
   * one, in the parent, or in a source for which the window has room.
   */
  #checkIdleWorkers(scheduler: Scheduler): void {
    const now = this.time.now()
    if (this.time.nextAt === now || this.#crashes > 0) return
    let hasIdle = false
    for (const { id, state } of scheduler.workers) {
      const worker = this.#places[id]
      if (state.is === 'starting' || worker?.isTalking === true) return
      if (
        state.is === 'ready' &&
        state.inFlight.canBeginMore &&
        hasRoom(state, false) &&
        worker?.answers === true
      )
        hasIdle = true
    }
    const wake = scheduler.nextWake()
    if (!hasIdle || (wake !== undefined && wake <= now + 5) || scheduler.pausedUntil !== undefined) return
    for (const worker of this.#places) {
      if (worker === undefined) continue
      if (!worker.answers || worker.hasLied) return
      if (worker.unstarted > 0) violated(`a worker is idle while ${worker.unstarted} items wait in another`)
    }
    for (const { call, drain, isOver } of this.#sessions)
      this.#checkWaiting(call, isOver || drain.signal.aborted)
  }

  #checkWaiting(call: CallWitness, isOver: boolean): void {
    const { plan, taken, received, settledItems, end, sourceEnded, isPulling, isCutShort } = call
    if (isOver || end !== undefined || isCutShort || plan.intervalMs !== undefined || !call.isOpen) return
    if (call.isStopped || call.isAborted) return
    if (plan.retries === 0) {
      let held = 0
      for (const worker of this.#places) held += worker?.held(call) ?? 0
      if (settledItems + held < taken)
        violated(`a worker is idle while items of call ${call.id} wait in the parent`)
    }
    const hasRoom = taken - received < plan.windowItems && plan.windowBytes > 1e6
    if (!sourceEnded && !isPulling && hasRoom)
      violated(
        `a worker is idle while call ${call.id} does not read its input: ${taken} taken, ${received} delivered`,
      )
  }

  #checkEnd(): void {
    for (const worker of this.#workers)
      if (worker.isAlive) violated(`worker ${worker.id} is alive after the end`)
    if (this.time.timers > 0) violated(`${this.time.timers} timers are left at the end`)
    if (this.#scheduler?.nextWake() !== undefined) violated('the scheduler waits for something after the end')
  }

  // ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #spawn(onEvent: ConstructorParameters<typeof SimulatedWorker>[3], id: number): SimulatedWorker {
    if (this.#places[id] !== undefined) violated(`worker ${id} is started twice`)
    if (id >= this.plan.processes) violated(`worker ${id} is one too many`)
    const worker = new SimulatedWorker(id, this.#pids++, this, (event) => {
      if (event.type === 'exited' || event.type === 'spawn-failed') {
        this.#places[id] = undefined
        if (event.type === 'spawn-failed' || event.exitCode !== 0) this.#crashes++
        this.#progressAt = this.time.now()
      }
      onEvent(event)
    })
    this.#places[id] = worker
    this.#workers.push(worker)
    if (!this.isCalm && this.random.chance(this.plan.initFails / 2)) worker.failToSpawn()
    return worker
  }

  // ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(session: Session): void {
    if (this.#isEnding) return
    const { call } = session
    call.isOpen = true
    const running = call.plan.kind === 'bytes' ? this.#runLine(session) : this.#runValues(session)
    running
      .catch((error: unknown) => this.#judge(error, call))
      .then(() => this.#over(session))
      .catch((error: unknown) => {
        this.#thrown ??= { error }
      })
  }

  /** Whether something explains what a call has rejected with. */
  #judge(error: unknown, call: CallWitness): void {
    if (error instanceof Violation || error instanceof PoolBrokenError) throw error
    const { maxRestarts, initFails } = this.plan
    if (error instanceof ExecutionFault && (maxRestarts < 1_000 || initFails > 0)) return
    if (error instanceof StopError && call.isCutShort) return
    if (call.plan.input.tearsAt !== undefined && isTorn(error)) return
    if (['EPIPE', 'ENOSPC'].some((code) => isCausedBy(error, code))) return
    throw error
  }

  #over(session: Session): void {
    session.isOver = true
    if (!this.#sessions.every(({ isOver, call }) => isOver || !call.isOpen)) return
    // Calls that were to open later do, unless a fault has ended the pool.
    if (this.#triggers.length > 0 && this.#sessions.some(({ call }) => !call.isOpen)) return
    this.#isEnding = true
    this.#triggers = []
    for (const worker of this.#workers) worker.continue()
    this.isCalm = true
    this.#executor[this.plan.end]().then(() => {
      this.#isClosed = true
    })
  }

  #flow({ call, drain, end, signal }: Session, source: ChunkSource, policy: FlowOptions['policy']): Flow {
    const { plan } = call
    const flow = openFlow({
      executor: call.journal === undefined ? this.#executor : this.#journaled(call, call.journal),
      source: watched(source, call),
      task: { name: call.task, calling: 'item', reply: plan.kind === 'bytes' ? 'json' : 'values' },
      policy,
      ordered: plan.ordered,
      window: { items: plan.windowItems, bytes: plan.windowBytes },
      chunkSize: plan.chunkSize,
      timeoutMs: plan.timeoutMs,
      retry: { retries: plan.retries, delayMs: plan.retryDelayMs, on: ['error', 'crash', 'timeout', 'oom'] },
      intervalMs: plan.intervalMs,
      drain: drain.signal,
      end: end.signal,
      signal: signal.signal,
      onSettled: (settled) => {
        call.reports(settled)
        return plan.slowHook && this.random.chance(0.1) ? this.#sleep(this.random.next() * 5) : undefined
      },
      onCancelled: (cancelled) => call.reports(cancelled),
    })
    let last: SettledRange | undefined
    const receive = (settled: SettledRange | undefined) => {
      // What `next` returns has mostly come from `nextReady`.
      if (settled === undefined || settled === last) return settled
      last = settled
      call.received += settled.count
      call.heldBytes -= resultBytes(settled)
      this.#progressAt = this.time.now()
      return settled
    }
    const { next, nextReady } = flow
    flow.nextReady = () => receive(nextReady.call(flow))
    flow.next = async () => receive(await next.call(flow))
    return flow
  }

  /** As a run with `--journal` does it. */
  #journaled(call: CallWitness, kept: KeptJournal): FlowOptions['executor'] {
    const write = (settled: SettledRange) => {
      try {
        kept.write(settled)
      } catch (error) {
        call.isCutShort = true
        throw error
      }
    }
    const cannotRead = (error: unknown) => error as Error
    const { journal, isResumed } = kept.open(this.time)
    const stage = resuming(this.#executor, { journal, isResumed, write, cannotRead })
    return {
      execute: (execution) =>
        stage.execute({
          ...execution,
          onSettled: (settled) => {
            call.accepts(settled)
            if (settled.restored === true) call.heldBytes += resultBytes(settled)
            execution.onSettled(settled)
          },
        }),
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.after(ms, 'a pause ends', resolve))
  }

  /** As a run of the command line does it. */
  async #runLine(session: Session): Promise<void> {
    const { call } = session
    const { plan } = call
    const linePlan = {
      command: plan.policy === 'imap' && !plan.ordered ? 'imap-unordered' : plan.policy,
      format: plan.format,
      envelope: false,
      maxFailures: plan.maxFailures === undefined ? undefined : { count: plan.maxFailures },
    } as LinePlan
    const policy = policyFor(linePlan)
    const file = plan.reader.isDisk ? this.#disk.open(`${OUTPUT_FILE}${call.id}`) : undefined
    const output = createOutput(new SimulatedStream(call, this, file).writable)
    const reader = new LineReader(call, this)
    const source = createByteSource(reader, { framing: 'ndjson', file: '<stdin>', tolerant: false })
    const flow = this.#flow(session, source, policy)
    try {
      const delivery = deliverOutput({
        plan: linePlan,
        policy,
        flow,
        output,
        cwd: '/',
        emit: (event) => {
          if (
            event.type === 'item-failed' &&
            event.verdict !== 'skip' &&
            policy.onDeliver(event.failure, event.settled) !== 'skip'
          )
            call.raisedAt ??= event.settled.chunk.seq + event.failure.offset
        },
      })
      await Promise.race([delivery, rejection(output.failed)])
      if (!(call.isCutShort && plan.policy === 'map')) call.checkComplete()
    } finally {
      await this.#endFlow(flow)
      call.journal?.close()
    }
  }

  /** As a program does it. */
  async #runValues(session: Session): Promise<void> {
    const { call } = session
    const { plan } = call
    const { stalls, stallMs, leavesAfter = Number.POSITIVE_INFINITY } = plan.reader
    const flow = this.#flow(session, new ValueSource(call, this), plan.policy === 'map' ? failFast : lazy)
    try {
      const all: SettledRange[] = []
      let isWanted = true
      while (isWanted) {
        if (this.random.chance(stalls)) await this.#sleep(this.random.next() * stallMs)
        const settled = flow.nextReady() ?? (await flow.next())
        if (settled === undefined) break
        if (plan.policy === 'map') all.push(settled)
        else isWanted = this.#deliver(settled, call) && call.received < leavesAfter
      }
      if (flow.stopped !== undefined)
        call.raisedAt = flow.stopped.settled.chunk.seq + flow.stopped.failure.offset
      else for (const settled of all) this.#deliver(settled, call)
      if (isWanted && !call.isCutShort) call.checkComplete()
    } finally {
      await this.#endFlow(flow)
    }
  }

  /** False if an item of the range has failed. */
  #deliver({ chunk, from, count, failures }: SettledRange, call: CallWitness): boolean {
    const [first] = failures
    const end = first?.offset ?? from + count
    for (let offset = from; offset < end; offset++) call.delivers(chunk.seq + offset)
    if (first !== undefined) call.raisedAt = chunk.seq + first.offset
    return first === undefined
  }

  async #endFlow(flow: Flow): Promise<void> {
    await flow.cancel()
    const surplus = flow.close()
    if (surplus !== undefined) throw surplus
  }
}

/** What ends a call from outside. */
class StopError extends Error {}

async function rejection(failed: Promise<Error>): Promise<never> {
  throw await failed
}

function isTorn(error: unknown): boolean {
  return error instanceof TornError || (error instanceof Error && error.cause instanceof TornError)
}

function isCausedBy(error: unknown, code: string): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === code
}

function brief(message: SchedulerInput | Command): string {
  return JSON.stringify(message, (key, value) => {
    if (key === 'payload' || key === 'results' || key === 'task' || key === 'exports') return undefined
    return value
  }).slice(0, 300)
}
