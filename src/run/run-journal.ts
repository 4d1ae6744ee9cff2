// The journal of a run on disk: locked, read, checked against the plan, continued, synced and closed.
import { randomBytes, randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { OutputError, UsageError } from '../errors/classes.js'
import { EXIT, type ExitCode } from '../errors/exit-codes.js'
import type { Executor } from '../executor/executor.js'
import type { JobSource } from '../ipc/protocol.js'
import { fingerprintJob } from '../job/fingerprint.js'
import type { JournalDisk } from '../journal/disk.js'
import { ItemKeys } from '../journal/item-keys.js'
import { Journal } from '../journal/journal.js'
import { JournalReader, type RunEnd } from '../journal/reader.js'
import { changedFiles, differences, settingsOf } from '../journal/settings.js'
import { ShardEvents } from '../journal/shard-events.js'
import { parsePointer } from '../json-pointer.js'
import type { Chunk, SettledRange } from '../model.js'
import { EVAL_NAME, type JournalPlan, type RunPlan } from '../plan.js'
import { cannotWrite } from '../write/cannot-write.js'
import { locateToWrite, lock, openToRead, openToWrite, readWhole } from './journal-file.js'
import { resuming } from './resume.js'
import type { RunProgress } from './run-progress.js'
import { taskFor } from './settings.js'

const SYNC_EVERY_MS = 1_000

/** What `poolrun merge` takes from the shards. */
export type MergedOptions = Pick<RunPlan, 'ordered' | 'allowFailures'> & { readonly job: string }

/** `undefined` for a run without one. @throws UsageError, OutputError */
export function openRunJournal(plan: RunPlan, warn: (text: string) => void): RunJournal | undefined {
  if (plan.journal === undefined || (plan.dryRun && !hasContent(locateToWrite(plan.journal.path))))
    return undefined
  return new RunJournal(plan, plan.journal, warn)
}

export class RunJournal {
  readonly journal: Journal
  readonly #plan: JournalPlan
  readonly #file: string
  readonly #disk: JournalDisk
  readonly #reader: JournalReader
  readonly #release: () => void
  readonly #settings: ReturnType<typeof settingsOf>
  readonly #options: MergedOptions
  readonly #run = randomUUID()
  readonly #seed: number
  readonly #input: RunPlan['input']
  readonly #isShard: boolean
  readonly #isCommand: boolean
  /** A dry run is refused as the run would be, and writes nothing. */
  readonly #isDry: boolean
  /** Which item the journal has at which index, where that matters. */
  readonly #places: ShardEvents | undefined
  /** Of the whole input, the same in all shards. */
  readonly #digestKeys: ItemKeys
  #itemsRead = 0
  #digest = 0
  #timer: NodeJS.Timeout | undefined
  #isDirty = false
  /** What went wrong when it was synced. */
  #failed: unknown
  #hasBegun = false

  /** @throws UsageError, OutputError */
  constructor(plan: RunPlan, journal: JournalPlan, warn: (text: string) => void) {
    this.#plan = journal
    this.#settings = settingsOf(plan)
    this.#options = { job: plan.job.path, ordered: plan.ordered, allowFailures: plan.allowFailures }
    this.#input = plan.input
    this.#file = locateToWrite(journal.path)
    this.#isDry = plan.dryRun
    this.#release = plan.dryRun ? () => {} : lock(this.#file)
    const places =
      plan.shard === undefined && !journal.explain ? undefined : new ShardEvents(plan.shard?.count ?? 1)
    const reader: JournalReader = new JournalReader({
      ...(places && { onItem: (cursor, at) => places.add(cursor, at, reader) }),
    })
    let disk: JournalDisk | undefined
    try {
      const isThere = hasContent(this.#file)
      if (isThere && journal.resume === undefined)
        throw new UsageError(
          `the journal ${journal.path} exists: go on from it with --resume, or remove it for a new run`,
        )
      disk = plan.dryRun ? openToRead(journal.path) : openToWrite(this.#file)
      this.#disk = disk
      this.#reader = reader
      if (isThere) readWhole(journal.path, this.#disk, reader)
      if (isThere) this.#dropTornLine(warn)
      this.#refuseOtherSettings()
    } catch (error) {
      disk?.close()
      this.#release()
      throw error
    }
    this.#isShard = plan.shard !== undefined
    this.#isCommand = plan.exec !== undefined
    this.#places = places
    const pointer = plan.key === undefined ? undefined : parsePointer(plan.key)
    this.#digestKeys = new ItemKeys(0, pointer)
    this.#seed = Number(this.#reader.header?.seed ?? randomBytes(4).readInt32LE())
    this.journal = new Journal(this.#disk, this.#reader, this.#seed, {
      run: this.#run.slice(0, 8),
      pointer,
      places: plan.shard && places,
      keepsFailures: journal.resume === 'missing',
      timed: taskFor(plan).timed,
      // How many of its bytes the selected items take is unknown.
      inputSize: plan.shard === undefined && plan.only === undefined ? sizeOf(plan.input) : undefined,
    })
  }

  /** There is something to go on from. */
  get isResumed(): boolean {
    return this.#reader.header !== undefined
  }

  /** Passes on the job once it is known that it may go on from the journal, and this run has its first line in it. */
  check(job: Promise<JobSource>): Promise<JobSource> {
    const checked = job.then(async (source) => {
      await this.#begin(source)
      return source
    })
    // Reported where it is awaited.
    checked.catch(() => {})
    return checked
  }

  /** Keeps what the executor settles, and keeps from it what is settled. */
  before(executor: Pick<Executor, 'execute'>, note: (text: string) => void): Pick<Executor, 'execute'> {
    return resuming(executor, {
      journal: this.journal,
      isResumed: this.isResumed,
      write: (settled) => this.#append(settled),
      explain: this.#plan.explain && this.isResumed ? note : undefined,
      places: this.#places,
      cannotRead: (error) =>
        new OutputError(`cannot read the journal ${this.#plan.path}: ${(error as Error).message}`, {
          cause: error,
        }),
    })
  }

  /** With `--shard`: to be called with the whole input, of which this run has a part. */
  get inputRead(): ((chunk: Chunk) => void) | undefined {
    if (!this.#isShard) return undefined
    return (chunk) => {
      this.#itemsRead += chunk.count
      this.#digest = this.#digestKeys.digest(chunk, this.#digest)
    }
  }

  /** @throws UsageError, OutputError */
  async #begin(job: JobSource): Promise<void> {
    // A command is compared as text, and so is an expression itself.
    const files = this.#isCommand ? {} : withoutExpression(await fingerprintJob(job))
    const { header, resumed } = this.#reader
    const at = new Date().toISOString()
    if (header === undefined) {
      this.#write(() =>
        this.journal.begin({
          run: this.#run,
          at,
          settings: this.#settings,
          options: this.#options,
          job: files,
          input: describeInput(this.#input),
          seed: this.#seed,
        }),
      )
    } else {
      const before = (resumed.job ?? header.job) as Readonly<Record<string, string>>
      const changed = changedFiles(before, files)
      if (changed.length > 0 && !this.#plan.force)
        throw new UsageError(
          `the job has changed since the journal ${this.#plan.path} was begun: ${changed.join(', ')}; go on with the results that it has with --resume-force, or remove the journal for a new run`,
        )
      this.#write(() => this.journal.resume(this.#run, { at, ...(changed.length > 0 && { job: files }) }))
    }
    this.#hasBegun = true
    if (this.#plan.fsync === '1s' && !this.#isDry)
      this.#timer = setInterval(() => void this.#sync(), SYNC_EVERY_MS).unref()
  }

  /** @throws OutputError */
  #append(settled: SettledRange): void {
    if (this.#failed !== undefined) throw this.#cannotWrite(this.#failed)
    this.#write(() => this.journal.write(settled))
  }

  /** Notes the end of the run; `errorCode` is that of an error that has ended it. Resolves when the file is closed. @throws OutputError */
  async close(progress: RunProgress, errorCode: ExitCode | undefined): Promise<void> {
    clearInterval(this.#timer)
    try {
      if (this.#hasBegun && this.#failed === undefined)
        this.#write(() => this.journal.end(this.#endOf(progress, errorCode)))
      if (this.#plan.fsync === '1s') await this.#sync()
      if (this.#failed !== undefined) throw this.#cannotWrite(this.#failed)
    } finally {
      this.#disk.close()
      // Nothing can have run: the next run may be a new one.
      if (!this.isResumed && !this.#isDry && progress.inputAtEnd === undefined)
        rmSync(this.#file, { force: true })
      this.#release()
    }
  }

  #endOf({ inputAtEnd, isInputRead, settled, named }: RunProgress, errorCode: ExitCode | undefined): RunEnd {
    const isKnown = inputAtEnd !== undefined && !inputAtEnd.unread && errorCode !== EXIT.input
    const count = settled.ok + settled.failed
    return {
      notRun: isKnown ? inputAtEnd.accepted - count : null,
      ...(named.stoppedBy !== undefined && { stopped: true }),
      ...(isKnown &&
        isInputRead &&
        this.#isShard && { input: { items: this.#itemsRead, digest: this.#digest, settled: count } }),
    }
  }

  #write(append: () => void): void {
    if (this.#isDry) return
    try {
      append()
      if (this.#plan.fsync === 'each') this.#disk.syncNow()
    } catch (error) {
      this.#failed = error
      throw this.#cannotWrite(error)
    }
    this.#isDirty = true
  }

  async #sync(): Promise<void> {
    if (!this.#isDirty) return
    this.#isDirty = false
    await this.#disk.sync().catch((error: unknown) => {
      this.#failed ??= error
    })
  }

  #dropTornLine(warn: (text: string) => void): void {
    const { isTorn, validBytes, header } = this.#reader
    if (!isTorn) return
    warn(
      header === undefined
        ? `the journal ${this.#plan.path} has no whole line: this is a new run`
        : `the last line of the journal ${this.#plan.path} is torn and ${this.#isDry ? 'does not count' : 'was dropped'}`,
    )
    if (this.#isDry) return
    try {
      this.#disk.truncate(validBytes)
    } catch (error) {
      throw this.#cannotWrite(error)
    }
  }

  #refuseOtherSettings(): void {
    const { header } = this.#reader
    if (header === undefined) return
    const different = differences(header.settings as Readonly<Record<string, unknown>>, this.#settings)
    if (different.length > 0)
      throw new UsageError(
        `the journal ${this.#plan.path} is of another run: ${different.join('; ')}. Use the same, or another journal`,
      )
  }

  #cannotWrite(error: unknown): OutputError {
    return cannotWrite('the journal', this.#plan.path, error)
  }
}

function hasContent(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && stats.size > 0
}

function withoutExpression(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== EVAL_NAME))
}

function describeInput(input: RunPlan['input']) {
  if (input.kind !== 'file') return { kind: input.kind }
  return { kind: 'file', path: input.path, size: sizeOf(input) }
}

/** 0 or `undefined` for what has none, such as a named pipe. If the file cannot be read, whoever opens the input reports it. */
function sizeOf(input: RunPlan['input']): number | undefined {
  if (input.kind !== 'file') return undefined
  try {
    return statSync(input.path).size
  } catch {
    return undefined
  }
}
