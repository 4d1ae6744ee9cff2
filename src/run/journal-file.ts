// The file of a journal: finds, locks, opens and reads it, and says why it cannot be used.
import { lstatSync, statSync } from 'node:fs'
import { InputError, OutputError, UsageError } from '../errors/classes.js'
import { whyUnreadable } from '../errors/file-reasons.js'
import { type JournalDisk, openJournalDisk } from '../journal/disk.js'
import { readJournal } from '../journal/journal.js'
import { JournalInUse, lockJournal, refuseLocked } from '../journal/lock.js'
import { JournalReader, UnreadableJournal } from '../journal/reader.js'
import { cannotWrite } from '../write/cannot-write.js'
import { targetOf } from '../write/target.js'

/** Where a journal is or will be: beside it are its lock and its large values, whatever it is called. @throws OutputError */
export function locateToWrite(path: string): string {
  try {
    return locate(path)
  } catch (error) {
    throw cannotWrite('the journal', path, error)
  }
}

/** Also refuses one that a run writes. @throws InputError, OutputError */
export function openToRead(path: string): JournalDisk {
  try {
    statSync(path)
    const file = locate(path)
    refuseLocked(file)
    return openJournalDisk(file, 'read')
  } catch (error) {
    if (error instanceof JournalInUse) throw new OutputError(error.message)
    throw new InputError(`cannot read the journal ${path}: ${whyUnreadable(error)}`, { cause: error })
  }
}

/** @throws OutputError */
export function openToWrite(path: string): JournalDisk {
  try {
    return openJournalDisk(path, 'write')
  } catch (error) {
    throw cannotWrite('the journal', path, error)
  }
}

/** Returns what releases it. @throws OutputError */
export function lock(path: string): () => void {
  try {
    return lockJournal(path)
  } catch (error) {
    if (error instanceof JournalInUse) throw new OutputError(error.message)
    throw cannotWrite('the journal', path, error)
  }
}

/** @throws UsageError, OutputError */
export function readWhole(path: string, disk: JournalDisk, reader = new JournalReader()): JournalReader {
  try {
    return readJournal(disk, reader)
  } catch (error) {
    if (error instanceof UnreadableJournal) throw refusal(path, error)
    throw error
  }
}

/** Anything but a file cannot be read twice, and must not be removed. */
function locate(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) throw new Error('it is a directory')
  if (stats?.isFile() === false) throw new Error('it is not a regular file')
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  return isLink ? targetOf(path) : path
}

function refusal(path: string, { reason }: UnreadableJournal): Error {
  switch (reason.kind) {
    case 'foreign':
      return new UsageError(`${path} is not a journal of poolrun, and stays as it is`)
    case 'newer':
      return new OutputError(
        `the journal ${path} has format ${reason.version}, which this version of poolrun does not know; use the one that wrote it, or a newer one`,
      )
    case 'crlf':
      return new OutputError(
        `the journal ${path} has line ends of another system (CRLF), as some editors write them; change them back to LF`,
      )
    case 'damaged': {
      // Without the first line, nothing says what was run.
      const remedy = reason.line === 1 ? '' : 'remove that line to run its item again, or '
      return new OutputError(
        `the journal ${path} is damaged in line ${reason.line}; ${remedy}remove the journal for a new run`,
      )
    }
    default:
      return reason satisfies never
  }
}
