// The files that a run writes besides stdout: `--output`, `--errors`, `--report`. All are opened before the first item, so
// that a run does not start if one cannot be written, and closed however the run ends.
import type { Writable } from 'node:stream'
import { EXIT, type ExitCode } from '../errors/exit-codes.js'
import type { ReportKind, RunPlan } from '../plan.js'
import { type AtomicFile, createAtomicFile } from '../write/atomic-file.js'
import { type ErrorsFile, openErrorsFile } from '../write/errors-file.js'
import { partialPath } from '../write/target.js'

export class RunFiles {
  errors: ErrorsFile | undefined
  #output: AtomicFile | undefined
  /** Where to keep an output that is not complete. */
  #partial: string | undefined
  readonly #reports: { readonly kind: ReportKind; readonly file: AtomicFile }[] = []
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** @throws OutputError; the files opened before it are closed as in any run */
  async open({ output, keepPartial, errors, reports, dryRun }: RunPlan, cwd: string): Promise<void> {
    if (dryRun) return
    if (output !== undefined) {
      this.#output = await createAtomicFile(output, 'the output')
      if (keepPartial) this.#partial = partialPath(output)
    }
    for (const { kind, path } of reports)
      this.#reports.push({ kind, file: await createAtomicFile(path, `the ${kind} report`) })
    if (errors !== undefined) this.errors = openErrorsFile(errors, { cwd })
  }

  /** For results; `undefined` where they go to stdout. */
  get stream(): Writable | undefined {
    return this.#output?.stream
  }

  /** Keeps the file with results only after a run that reached its end. False if it could not be written. */
  async keepOutput(exitCode: ExitCode, interrupted: boolean): Promise<boolean> {
    this.errors?.close()
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

  /** Writes all reports, however the run ended. False if one could not be written; the others still are. */
  async writeReports(render: (kind: ReportKind) => Promise<string>): Promise<boolean> {
    let allWritten = true
    for (const { kind, file } of this.#reports)
      if (!(await this.#commit(file, () => render(kind)))) allWritten = false
    return allWritten
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
