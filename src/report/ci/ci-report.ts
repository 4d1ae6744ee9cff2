// What a CI system is told, and when; the same for all of them. Types only.
import type { SourceLocation } from '../source-location.js'

/** Harmless text, as everything in it may come from a job. */
export interface FailedItem {
  readonly index: number
  readonly name: string
  readonly message: string
  readonly place: SourceLocation | undefined
}

export interface CiReport {
  /** Before anything of a job can be printed. */
  begin(): void
  /** Just before the failure is shown; asks what it is only where that is told on. */
  failed(describe: () => FailedItem): void
  /** Just before the verdict, when all results have been written; a warning where something could not be told. */
  end(ending: { readonly verdict: string; readonly title: string }): string | undefined
}

export interface CiReportOptions {
  /** Takes whole lines, for stderr. */
  readonly write: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}
