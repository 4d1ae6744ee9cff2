// `poolrun journal`: what a journal holds, and how to make it smaller.
import { chmodSync, existsSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { InputError, OutputError, UsageError } from '../errors/classes.js'
import { type JournalDisk, openJournalDisk, valuesFolder } from '../journal/disk.js'
import { readJournal, StoredItems } from '../journal/journal.js'
import { LineBuilder } from '../journal/lines.js'
import { JournalInUse, refuseLocked } from '../journal/lock.js'
import { JournalReader } from '../journal/reader.js'
import { cannotWrite } from '../write/cannot-write.js'
import { lock, readWhole } from './run-journal.js'

const COPY_BYTES = 1 << 20

interface Request {
  readonly path: string
  readonly json: boolean
  readonly compact: boolean
}

/** @throws UsageError, InputError, OutputError */
export function journalText({ path: file, json, compact }: Request): string {
  if (!existsSync(file)) throw new InputError(`cannot read the journal ${file}: no such file`)
  const before = statSync(file).size
  if (compact) compactJournal(file)
  else refuseInUse(file)
  const disk = openDisk(file)
  const reader = readWhole(file, disk)
  disk.close()
  const { done, failed } = reader.table
  const notRun = reader.end?.notRun ?? null
  const { size } = statSync(file)
  if (json) return `${JSON.stringify({ done, failed, notRun, size })}\n`
  const lines = [
    `done     ${done}`,
    `failed   ${failed}`,
    `not run  ${notRun ?? 'unknown: the input was not read to its end'}`,
    `size     ${size} bytes${compact ? ` (before: ${before})` : ''}`,
    ...(reader.isTorn ? ['the last line is torn, and is dropped by the next --resume'] : []),
  ]
  return `${lines.join('\n')}\n`
}

function refuseInUse(file: string): void {
  try {
    refuseLocked(file)
  } catch (error) {
    throw error instanceof JournalInUse ? new OutputError(error.message) : error
  }
}

function openDisk(file: string): JournalDisk {
  try {
    return openJournalDisk(file, 'read')
  } catch (error) {
    throw new InputError(`cannot read the journal ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Keeps the latest event of each item, in the order in which they were appended. */
function compactJournal(file: string): void {
  const release = lock(file)
  const target = realpathSync(file)
  const temporary = `${target}.${process.pid}.tmp`
  const disk = openDisk(file)
  try {
    const reader = readWhole(file, disk)
    if (reader.header === undefined) return
    rmSync(temporary, { force: true })
    const compacted = openJournalDisk(temporary, 'write')
    const values = copyLatest(disk, reader, compacted)
    compacted.syncNow()
    compacted.close()
    chmodSync(temporary, statSync(target).mode)
    renameSync(temporary, target)
    dropOtherValues(valuesFolder(file), values)
  } catch (error) {
    rmSync(temporary, { force: true })
    if (error instanceof UsageError || error instanceof OutputError) throw error
    throw cannotWrite('the journal', file, error)
  } finally {
    disk.close()
    release()
  }
}

/** Returns the names of the values that are in files of their own. */
function copyLatest(
  disk: JournalDisk,
  { table, header, resumed, end }: JournalReader,
  to: JournalDisk,
): Set<string> {
  const values = new Set<string>()
  const lines = new LineBuilder()
  const { resumed: _run, at: _at, ...replaced } = resumed
  lines.object({ ...header, ...replaced })
  const items = new StoredItems(disk)
  const flush = () => to.append(lines.take())
  const pass = new JournalReader({
    onItem({ kind, low, high, occurrence }, at) {
      const isLatest = kind === 'moved' || Math.abs(table.event(low, high, occurrence)) === at
      if (!isLatest) return
      const { file } = items.read(at)
      if (file !== undefined) values.add(file)
      lines.copy(items.line)
      if (lines.length > COPY_BYTES) flush()
    },
  })
  readJournal(disk, pass)
  if (end !== undefined) lines.object({ end })
  flush()
  return values
}

function dropOtherValues(folder: string, kept: ReadonlySet<string>): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder))
    if (!kept.has(name)) rmSync(path.join(folder, name), { force: true })
}
