// The files that a run writes besides stdout: `--output`, `--errors`, `--report`. Opened before the first item, so that
// one that cannot be written is refused; closed however the run ended. Knows nothing of what is in them.
import type { Writable } from 'node:stream'
import { EXIT, type ExitCode } from '../errors/exit-codes.js'
import type { ReportKind, RunPlan } from '../plan.js'
import { type AtomicFile, createAtomicFile } from '../write/atomic-file.js'
import { type ErrorsFile, openErrorsFile } from '../write/errors-file.js'

export class RunFiles {
  errors: ErrorsFile | undefined
  #output: AtomicFile | undefined
  readonly #reports: { readonly kind: ReportKind; readonly file: AtomicFile }[] = []
  readonly #onFault: (error: unknown) => void

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  /** @throws OutputError; what was opened before it is closed like the rest */
  async open({ output, errors, reports, dryRun }: RunPlan, cwd: string): Promise<void> {
    if (dryRun) return
    if (output !== undefined) this.#output = await createAtomicFile(output, 'the output')
    for (const { kind, path } of reports)
      this.#reports.push({ kind, file: await createAtomicFile(path, `the ${kind} report`) })
    if (errors !== undefined) this.errors = openErrorsFile(errors, { cwd })
  }

  /** Where results go; `undefined` for stdout. */
  get stream(): Writable | undefined {
    return this.#output?.stream
  }

  /** A file with results is there only after a run that came to its end. False where it could not be put there. */
  async keepOutput(exitCode: ExitCode, interrupted: boolean): Promise<boolean> {
    this.errors?.close()
    if (this.#output === undefined) return true
    if (!interrupted && (exitCode === EXIT.ok || exitCode === EXIT.someFailed))
      return this.#commit(this.#output)
    await this.#output.discard()
    return true
  }

  /** However the run ended. False where one could not be written; the others are. */
  async writeReports(render: (kind: ReportKind) => Promise<string>): Promise<boolean> {
    let all = true
    for (const { kind, file } of this.#reports)
      if (!(await this.#commit(file, () => render(kind)))) all = false
    return all
  }

  async #commit(file: AtomicFile, textOf?: () => Promise<string>): Promise<boolean> {
    try {
      if (textOf !== undefined) file.stream.write(await textOf())
      await file.commit()
      return true
    } catch (error) {
      await file.discard()
      this.#onFault(error)
      return false
    }
  }
}
