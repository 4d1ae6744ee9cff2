// Progress of a run on stderr, live or as a plain line now and then. While it is shown, all other text for stderr goes
// through it. Samples the run a few times per second and consumes no events, so it costs the same however many items.
import type { WriteStream } from 'node:tty'
import type { Ms, RunView, WorkerActivity } from '../../model.js'
import type { Charset } from '../charset.js'
import type { Colors } from '../colors.js'
import type { Bar } from './bar.js'
import { Pace } from './pace.js'
import type { ProgressMode } from './progress-mode.js'
import { liveText, type ProgressState, plainLine, statusText } from './progress-text.js'

/** A shorter run gets no live block: one that flashes up is worse than none. */
const LIVE_AFTER_MS: Ms = 500
/** CI systems take a run for hung after some minutes of silence, but a log should stay readable. */
const PLAIN_AFTER_MS: Ms = 10_000
const PLAIN_EVERY_MS: Ms = 30_000
/** What silent workers do is read from files. While nothing settles, it is read only this often and aged in between. */
const READ_ACTIVITY_EVERY_MS: Ms = 400
const SAMPLE_PACE_EVERY_MS: Ms = 1_000

interface ProgressOptions {
  readonly mode: ProgressMode
  readonly command: string
  /** Where text goes while there is no live block. */
  readonly output: { write(text: string): void }
  readonly stderr: WriteStream
  readonly stdout: WriteStream
  readonly charset: Charset
  readonly colors: Colors
  readonly now?: () => Ms
  /** Whether this process is in the foreground of its terminal, where `/proc` does not say it. */
  readonly isForeground?: (() => boolean) | undefined
}

/** What the workers did at one moment. */
interface ActivitySample {
  readonly at: Ms
  readonly done: number
  readonly workers: readonly WorkerActivity[]
}

/** Before the run is there to look at. */
const EMPTY_VIEW: RunView = {
  counts: () => ({ ok: 0, failed: 0, notRun: 0, total: undefined }),
  activity: () => [],
}

export class Progress {
  readonly #options: ProgressOptions
  readonly #now: () => Ms
  #view = EMPTY_VIEW
  #pace: Pace
  #startedAt: Ms
  #suspendedAt: Ms | undefined
  #suspendedMs: Ms = 0
  #bar: Bar | undefined
  #lastActivity: ActivitySample | undefined
  #timer: NodeJS.Timeout | undefined
  #paceTimer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#startedAt = this.#now()
    this.#pace = new Pace(this.#startedAt)
  }

  /** Writes whole lines, above the live block if there is one. May be passed on without its object. */
  readonly write = (text: string): void => {
    if (this.#bar === undefined) this.#options.output.write(text)
    else this.#bar.write(text)
  }

  /** Starts to show the progress of a run. */
  watch(view: RunView): void {
    const { mode } = this.#options
    this.#view = view
    this.#startedAt = this.#runTime()
    this.#pace = new Pace(this.#startedAt)
    if (mode === 'bar')
      this.#timer = setTimeout(() => void this.#goLive().catch(goWithout), LIVE_AFTER_MS).unref()
    if (mode === 'plain') this.#timer = setTimeout(() => this.#writePlainLine(), PLAIN_AFTER_MS).unref()
    // Whatever the mode: a plain line and the answer to SIGUSR2 need a recent rate.
    this.#paceTimer = setInterval(() => this.#state([]), SAMPLE_PACE_EVERY_MS).unref()
  }

  /** Removes the live block and stops the clock, before the process is suspended (Ctrl-Z). */
  suspend(): void {
    this.#suspendedAt ??= this.#now()
    this.#bar?.stop()
  }

  resume(): void {
    if (this.#suspendedAt === undefined) return
    this.#suspendedMs += this.#now() - this.#suspendedAt
    this.#suspendedAt = undefined
    this.#bar?.start()
  }

  /** What is running now, in any mode. */
  status(): string {
    return this.#options.charset.text(statusText(this.#state(this.#view.activity())))
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#paceTimer)
    this.#bar?.stop()
    this.#bar = undefined
  }

  /** The time without that in which the process was suspended. */
  #runTime(): Ms {
    return this.#now() - this.#suspendedMs
  }

  #state(workers: readonly WorkerActivity[]): ProgressState {
    const counts = this.#view.counts()
    const now = this.#runTime()
    const done = counts.ok + counts.failed
    this.#pace.sample(now, done)
    return {
      command: this.#options.command,
      counts,
      elapsedMs: now - this.#startedAt,
      rate: this.#pace.rate(now, done),
      workers,
      isEnding: this.#view.isEnding,
      limit: this.#view.limit,
      pausedForMs: this.#view.pausedForMs,
    }
  }

  #activity(): readonly WorkerActivity[] {
    const now = this.#runTime()
    const { ok, failed } = this.#view.counts()
    const done = ok + failed
    let last = this.#lastActivity
    if (last === undefined || last.done !== done || now - last.at >= READ_ACTIVITY_EVERY_MS) {
      last = { at: now, done, workers: this.#view.activity() }
      this.#lastActivity = last
    }
    const ageMs = now - last.at
    return last.workers.map((worker) =>
      worker.item === undefined
        ? worker
        : { ...worker, item: { ...worker.item, forMs: worker.item.forMs + ageMs } },
    )
  }

  async #goLive(): Promise<void> {
    // Loading it takes a while, which only a run that is long enough should pay for.
    const { Bar } = await import('./bar.js')
    if (this.#isStopped) return
    const { stderr, stdout, charset, colors, isForeground } = this.#options
    this.#bar = new Bar({
      terminal: stderr,
      stdout,
      spinner: charset.spinner,
      isForeground,
      text: (size, width) => liveText(this.#state(this.#activity()), size, { charset, colors, width }),
    })
    if (this.#suspendedAt === undefined) this.#bar.start()
  }

  #writePlainLine(): void {
    this.write(`${plainLine(this.#state([]))}\n`)
    this.#timer = setTimeout(() => this.#writePlainLine(), PLAIN_EVERY_MS).unref()
  }
}

/** If the installation is changed under a running process, the bar cannot be loaded: the run goes on without it. */
function goWithout(): void {}
