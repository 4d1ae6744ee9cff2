// `--debug`: what becomes of each worker, a line each with the time since the start. A consumer of run events, and of
// lines that others trace. Knows neither streams nor what failed.
import { describeExit, formatMs, plural, workerTitle } from '../../errors/messages.js'
import type { Ms, RunEvent } from '../../model.js'

export interface LifecycleOptions {
  /** Takes whole lines. */
  readonly write: (text: string) => void
  readonly now: () => Ms
}

export interface Lifecycle {
  handle(event: RunEvent): void
  note(line: string): void
}

interface Life {
  readonly startedAt: Ms
  items: number
}

export function createLifecycle({ write, now }: LifecycleOptions): Lifecycle {
  const began = now()
  /** By pid. */
  const lives = new Map<number, Life>()
  /** By worker: who was there before. */
  const latest = new Map<number, number>()
  const note = (line: string) => write(`debug: +${((now() - began) / 1000).toFixed(3)} s ${line}\n`)

  return {
    note,
    handle(event) {
      switch (event.type) {
        case 'worker-started': {
          const { workerId, pid, at } = event
          const before = latest.get(workerId)
          latest.set(workerId, pid)
          lives.set(pid, { startedAt: at, items: 0 })
          return note(
            `${workerTitle(workerId, pid)} started${before === undefined ? '' : `, in place of pid ${before}`}`,
          )
        }
        case 'worker-ready':
          return note(`${workerTitle(event.workerId, event.pid)} ready${after(event.pid)}`)
        case 'items-settled': {
          const life = lives.get(event.settled.pid)
          if (life !== undefined) life.items += event.settled.count
          return
        }
        case 'worker-exited': {
          const { workerId, pid, exitCode, signal } = event
          const how = describeExit(exitCode, signal)
          const items = lives.get(pid)?.items ?? 0
          note(`${workerTitle(workerId, pid)} ${how}${after(pid)}, ${plural(items, 'item')} settled`)
          lives.delete(pid)
          return
        }
        case 'worker-output':
        case 'item-failed':
        case 'interrupted':
        case 'warning':
          return
        default:
          return event satisfies never
      }
    },
  }

  function after(pid: number): string {
    const life = lives.get(pid)
    return life === undefined ? '' : ` after ${formatMs(now() - life.startedAt)}`
  }
}
