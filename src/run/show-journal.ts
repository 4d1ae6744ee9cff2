// `poolrun journal`: what a journal holds, and how to make it smaller.
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { OutputError, UsageError } from '../errors/classes.js'
import { type JournalDisk, openJournalDisk, valuesFolder } from '../journal/disk.js'
import { readJournal, StoredItems } from '../journal/journal.js'
import { LineBuilder } from '../journal/lines.js'
import { JournalReader } from '../journal/reader.js'
import { cannotWrite } from '../write/cannot-write.js'
import { locateToWrite, lock, openToRead, openToWrite, readWhole } from './journal-file.js'

const COPY_BYTES = 1 << 20

interface Request {
  readonly path: string
  readonly json: boolean
  readonly compact: boolean
}

/** @throws UsageError, InputError, OutputError */
export function journalText({ path: file, json, compact }: Request): string {
  const before = openToRead(file)
  before.close()
  if (compact) compactJournal(file)
  const disk = openToRead(file)
  const reader = readWhole(file, disk)
  const { size } = disk
  disk.close()
  const { done, failed } = reader.table
  const notRun = reader.end?.notRun ?? null
  if (json) return `${JSON.stringify({ done, failed, notRun, size })}\n`
  const lines = [
    `done     ${done}`,
    `failed   ${failed}`,
    `not run  ${notRun ?? 'unknown: the input was not read to its end'}`,
    `size     ${size} bytes${compact ? ` (before: ${before.size})` : ''}`,
    ...(reader.isTorn ? ['the last line is torn, and is dropped by the next --resume'] : []),
  ]
  return `${lines.join('\n')}\n`
}

/** Keeps the latest event of each item, in the order in which they were appended. */
function compactJournal(file: string): void {
  const target = locateToWrite(file)
  const release = lock(target)
  const temporary = `${target}.${process.pid}.tmp`
  const disk = openToWrite(target)
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
    dropOtherValues(valuesFolder(target), values)
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
  { table, header, resumed, end, runs }: JournalReader,
  to: JournalDisk,
): Set<string> {
  const values = new Set<string>()
  const lines = new LineBuilder()
  const { resumed: run, at, ...replaced } = resumed
  lines.object({ ...header, ...replaced })
  // Its items may have other indexes than those of their lines.
  if (runs > 1) lines.object({ resumed: run, at })
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
