// What a run needs from its caller, and what it returns. Types only.
import type { Writable } from 'node:stream'
import type { ExitCode } from '../errors/exit-codes.js'
import type { RunEvent, RunView } from '../model.js'
import type { ReportKind } from '../plan.js'
import type { Summary } from '../summary.js'

export interface RunHost {
  readonly cwd: string
  readonly stdout: Writable
  /** Called with everything that happens. */
  readonly report: (event: RunEvent) => void
  /** Called after each settled range: resolves when reports have room for more; `undefined` if they have it now. */
  readonly roomForReports?: (() => Promise<void> | undefined) | undefined
  /** Called with what ended the run, where that is not a failed item: a `PoolError`, a `ItemCallbackError`, or a bug. */
  readonly reportError: (error: unknown) => void
  /** Renders a report on the run. */
  readonly renderReport?: ((kind: ReportKind, result: RunResult) => Promise<string>) | undefined
  readonly watcher?: RunWatcher | undefined
  /** SIGHUP was ignored when this process was started, and stays ignored. */
  readonly ignoresHangup?: boolean | undefined
  /** Called with one line for what is done with workers; has a small cost per chunk. */
  readonly trace?: ((line: string) => void) | undefined
}

/** Looks at the run while it goes on, to show its progress. */
interface RunWatcher {
  watch(view: RunView): void
  /** Called before everything is suspended (Ctrl-Z). */
  suspend(): void
  resume(): void
}

export interface RunResult {
  readonly exitCode: ExitCode
  /** `undefined` where there is nothing to sum up: the run never began, or the reader of stdout left. */
  readonly summary: Summary | undefined
  /** The signal that ended the run; the caller must raise it again. */
  readonly signal: NodeJS.Signals | undefined
  /** Only for a dry run. */
  readonly itemsCounted: number | undefined
}
