// The files that a run writes besides stdout: `--output`, `--errors`, `--report`. All are opened before the first item, so
// that a run does not start if one cannot be written, and closed however the run ends. Until the run begins, files that
// exist keep their content.
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { EXIT, type ExitCode } from '../errors/exit-codes.js'
import type { CancelledRange } from '../model.js'
import type { ReportKind, RunPlan } from '../plan.js'
import { FileRemover } from '../transport/file-remover.js'
import { type AtomicFile, createAtomicFile } from '../write/atomic-file.js'
import { cannotWrite } from '../write/cannot-write.js'
import { type ErrorsFile, openErrorsFile } from '../write/errors-file.js'
import { partialPath } from '../write/target.js'

export class RunFiles {
  errors: ErrorsFile | undefined
  #output: AtomicFile | undefined
  /** Where to keep an output that is not complete. */
  #partial: string | undefined
  readonly #reports: { readonly kind: ReportKind; readonly file: AtomicFile }[] = []
  readonly #onError: (error: unknown) => void
  readonly #temporaries = new FileRemover()
  #hasBegun = false

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /**
   * A pipe is waited for until it has a reader, or `stop`, with whose reason it then rejects. The files opened by then
   * are closed as in any run.
   * @throws OutputError
   */
  async open(plan: RunPlan, cwd: string, stop: AbortSignal): Promise<void> {
    if (plan.dryRun) return
    if (plan.exec?.results !== undefined) createFolder(plan.exec.results, cwd)
    const failed = new AbortController()
    const openings = this.#openings(plan, cwd, AbortSignal.any([stop, failed.signal]))
    await Promise.allSettled(
      openings.map((opening) => opening.catch((error: unknown) => failed.abort(error))),
    )
    failed.signal.throwIfAborted()
  }

  #openings(
    { output, keepPartial, errors, reports }: RunPlan,
    cwd: string,
    stop: AbortSignal,
  ): Promise<void>[] {
    const openings = reports.map(async ({ kind, path }) => {
      this.#reports.push({
        kind,
        file: await createAtomicFile(path, `the ${kind} report`, stop, this.#temporaries),
      })
    })
    if (output !== undefined) openings.push(this.#openOutput(output, keepPartial, stop))
    if (errors !== undefined) openings.push(this.#openErrors(errors, cwd, stop))
    return openings
  }

  async #openOutput(path: string, keepPartial: boolean, stop: AbortSignal): Promise<void> {
    this.#output = await createAtomicFile(path, 'the output', stop, this.#temporaries)
    if (keepPartial) this.#partial = partialPath(path)
  }

  async #openErrors(path: string, cwd: string, stop: AbortSignal): Promise<void> {
    this.errors = await openErrorsFile(path, { cwd }, stop)
  }

  /** The run begins: what earlier runs left may be replaced. Idempotent. */
  begin(): void {
    this.#hasBegun = true
    this.errors?.begin()
  }

  /** For results; `undefined` where they go to stdout. */
  get stream(): Writable | undefined {
    return this.#output?.stream
  }

  /** Keeps the file with results only after a run that reached its end. False if it could not be written. */
  async keepOutput(exitCode: ExitCode, interrupted: boolean): Promise<boolean> {
    if (this.#output === undefined) return true
    if (!interrupted && (exitCode === EXIT.ok || exitCode === EXIT.someFailed))
      return this.#commit(this.#output)
    return this.#abandon(this.#output)
  }

  async #abandon(output: AtomicFile): Promise<boolean> {
    try {
      if (this.#partial === undefined) await output.discard()
      else await output.keepAs(this.#partial)
      return true
    } catch (error) {
      this.#onError(error)
      return false
    }
  }

  /** Writes the cancelled items and resolves when all has been written. False if they could not be written. */
  async closeErrors(cancelled: readonly CancelledRange[]): Promise<boolean> {
    let allWritten = true
    try {
      if (cancelled.length > 0) await this.errors?.writeCancelled(cancelled)
    } catch (error) {
      this.#onError(error)
      allWritten = false
    }
    await this.errors?.close()
    return allWritten
  }

  /**
   * Writes all reports, however the run ended, but replaces none if it did not begin. False if one could not be written; the
   * others still are.
   */
  async writeReports(render: (kind: ReportKind) => Promise<string>): Promise<boolean> {
    let allWritten = true
    for (const { kind, file } of this.#reports)
      if (file.replaces && !this.#hasBegun) await file.discard()
      else if (!(await this.#commit(file, () => render(kind)))) allWritten = false
    return allWritten
  }

  /** Resolves when nothing of the files is left in other processes. */
  close(): Promise<void> {
    return this.#temporaries.rest()
  }

  async #commit(file: AtomicFile, render?: () => Promise<string>): Promise<boolean> {
    try {
      if (render !== undefined) file.stream.write(await render())
      await file.commit()
      return true
    } catch (error) {
      await file.discard()
      this.#onError(error)
      return false
    }
  }
}

function createFolder(folder: string, cwd: string): void {
  const full = resolve(cwd, folder)
  try {
    makeFolder(full)
    accessSync(full, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw cannotWrite('the results of commands to', folder, error)
  }
}

/** With its parents, but not by `recursive`: where a folder takes no others, as in /proc, that never returns. */
function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found?.isDirectory()) return
  if (found !== undefined) throw new Error('it is not a folder')
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Another run has made it meanwhile.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}
