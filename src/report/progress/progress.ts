// Progress of a run on stderr, live or a line now and then, and the one way for text to get there while it is shown.
// Looks at the run a few times a second; hears nothing of its items, so that they cost it nothing.
import type { WriteStream } from 'node:tty'
import type { Ms, RunView, WorkerActivity } from '../../model.js'
import type { Charset } from '../charset.js'
import type { Colors } from '../colors.js'
import type { Bar } from './bar.js'
import { Pace } from './pace.js'
import type { ProgressMode } from './progress-mode.js'
import { liveText, type ProgressState, plainLine, statusText } from './progress-text.js'

/** A run that is over by then needs no progress: a block that flashes up is worse than none. */
const LIVE_AFTER_MS: Ms = 500
/** CI systems that see nothing for some minutes think that a run hangs; a log wants to be read all the same. */
const PLAIN_AFTER_MS: Ms = 10_000
const PLAIN_EVERY_MS: Ms = 30_000
/** What silent workers do is read from files: while nothing settles it ages between two looks, its times going on. */
const LOOK_EVERY_MS: Ms = 400

interface ProgressOptions {
  readonly mode: ProgressMode
  readonly command: string
  readonly stderr: WriteStream
  readonly stdout: WriteStream
  readonly letters: Charset
  readonly painter: Colors
  readonly now?: () => Ms
}

export interface Progress {
  /** Takes whole lines; they stand above what is live. */
  write(text: string): void
  /** From here on there is something to look at. */
  watch(view: RunView): void
  /** Before everything stands still (Ctrl-Z): the shell gets a tidy terminal, and the clock stops. */
  suspend(): void
  resume(): void
  /** What is running now, whatever the mode. */
  status(): string
  stop(): void
}

/** The installation was changed under a running process: its work goes on without a live block. */
const goWithout = () => {}

const NOTHING: RunView = {
  counts: () => ({ ok: 0, failed: 0, notRun: 0, total: undefined }),
  activity: () => [],
}

export function createProgress(options: ProgressOptions): Progress {
  const { mode, command, stderr, stdout, letters, painter, now = () => performance.now() } = options
  let view = NOTHING
  let pace = new Pace(now())
  let began = now()
  let suspendedAt: Ms | undefined
  let paused: Ms = 0
  let bar: Bar | undefined
  let looked:
    | { readonly at: Ms; readonly done: number; readonly workers: readonly WorkerActivity[] }
    | undefined
  let timer: NodeJS.Timeout | undefined
  let sampling: NodeJS.Timeout | undefined
  let over = false

  const time = () => now() - paused

  function state(workers: readonly WorkerActivity[]): ProgressState {
    const counts = view.counts()
    const at = time()
    const done = counts.ok + counts.failed
    pace.sample(at, done)
    return { command, counts, elapsedMs: at - began, rate: pace.rate(at, done), workers }
  }

  function workersNow(): readonly WorkerActivity[] {
    const at = time()
    const { ok, failed } = view.counts()
    const done = ok + failed
    if (looked === undefined || looked.done !== done || at - looked.at >= LOOK_EVERY_MS)
      looked = { at, done, workers: view.activity() }
    const age = at - looked.at
    return looked.workers.map((worker) =>
      worker.item === undefined
        ? worker
        : { ...worker, item: { ...worker.item, forMs: worker.item.forMs + age } },
    )
  }

  const write = (text: string) => (bar === undefined ? void stderr.write(text) : bar.write(text))

  async function goLive(): Promise<void> {
    // What draws takes its time to load: only a run that is long enough to be looked at pays for it.
    const { createBar } = await import('./bar.js')
    if (over) return
    bar = createBar({
      terminal: stderr,
      stdout,
      spinner: letters.spinner,
      text: (size, width) => liveText(state(workersNow()), size, { letters, painter, width }),
    })
    if (suspendedAt === undefined) bar.start()
  }

  function tell(): void {
    write(`${plainLine(state([]))}\n`)
    timer = setTimeout(tell, PLAIN_EVERY_MS).unref()
  }

  return {
    write,
    watch(next) {
      view = next
      began = time()
      pace = new Pace(began)
      if (mode === 'bar') timer = setTimeout(() => void goLive().catch(goWithout), LIVE_AFTER_MS).unref()
      if (mode === 'plain') timer = setTimeout(tell, PLAIN_AFTER_MS).unref()
      // Someone may ask for the speed of the last while, or a line be due.
      sampling = setInterval(() => state([]), 1000).unref()
    },
    suspend() {
      suspendedAt ??= now()
      bar?.stop()
    },
    resume() {
      if (suspendedAt === undefined) return
      paused += now() - suspendedAt
      suspendedAt = undefined
      bar?.start()
    },
    status: () => letters.text(statusText(state(view.activity()))),
    stop() {
      over = true
      clearTimeout(timer)
      clearInterval(sampling)
      bar?.stop()
      bar = undefined
    },
  }
}
