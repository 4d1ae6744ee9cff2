// What a report to a CI system is given, and when. Types only.
import type { SourceLocation } from '../source-location.js'

/** All text is sanitised: it may come from a job. */
export interface FailedItem {
  readonly index: number
  /** Its text on one short line. */
  readonly item: string
  readonly name: string
  readonly message: string
  readonly location: SourceLocation | undefined
}

export interface CiReport {
  /** Called before a job can print anything. */
  begin(): void
  /** Called just before a failure is shown. Calls `describe` only if it reports the details. */
  failed(describe: () => FailedItem): void
  /** Called just before the summary line, after all results. Returns a warning if something could not be reported. */
  end(ending: { readonly summaryLine: string; readonly title: string }): string | undefined
}

export interface CiReportOptions {
  /** Takes whole lines, for stderr. */
  readonly write: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}
