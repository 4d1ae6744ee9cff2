// `--debug`: one line per event in the life of a worker, with the time since the start. Consumes run events, and lines
// that other parts of the run trace.
import { describeExit, formatMs, plural, workerTitle } from '../../errors/messages.js'
import type { Ms, RunEvent } from '../../model.js'

interface LifecycleOptions {
  /** Takes whole lines. */
  readonly write: (text: string) => void
  readonly now: () => Ms
}

interface Lifecycle {
  handle(event: RunEvent): void
  /** Writes a line of another part of the run. */
  note(line: string): void
}

interface Process {
  readonly startedAt: Ms
  /** Settled so far. */
  items: number
}

export function createLifecycle({ write, now }: LifecycleOptions): Lifecycle {
  const startedAt = now()
  /** By pid. */
  const processes = new Map<number, Process>()
  /** The pid of each worker's latest process. */
  const latestPid = new Map<number, number>()
  const note = (line: string) => write(`debug: +${((now() - startedAt) / 1000).toFixed(3)} s ${line}\n`)

  return {
    note,
    handle(event) {
      switch (event.type) {
        case 'worker-started': {
          const { workerId, pid, at } = event
          const before = latestPid.get(workerId)
          latestPid.set(workerId, pid)
          processes.set(pid, { startedAt: at, items: 0 })
          return note(
            `${workerTitle(workerId, pid)} started${before === undefined ? '' : `, in place of pid ${before}`}`,
          )
        }
        case 'worker-ready':
          return note(`${workerTitle(event.workerId, event.pid)} ready${after(event.pid)}`)
        case 'items-settled': {
          const entry = processes.get(event.settled.pid)
          if (entry !== undefined) entry.items += event.settled.count
          return
        }
        case 'worker-exited': {
          const { workerId, pid, exitCode, signal } = event
          const how = describeExit(exitCode, signal)
          const items = processes.get(pid)?.items ?? 0
          note(`${workerTitle(workerId, pid)} ${how}${after(pid)}, ${plural(items, 'item')} settled`)
          processes.delete(pid)
          return
        }
        case 'worker-output':
        case 'items-cancelled':
        case 'item-failed':
        case 'interrupted':
        case 'note':
        case 'warning':
          return
        default:
          return event satisfies never
      }
    },
  }

  function after(pid: number): string {
    const entry = processes.get(pid)
    return entry === undefined ? '' : ` after ${formatMs(now() - entry.startedAt)}`
  }
}
