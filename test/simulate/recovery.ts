// After a crash of the parent, a new one goes on from the bytes of the disk that have survived: with a journal, from what it
// has; without one, all items run again.
import type { Random } from '../helpers/random.js'
import type { Disk } from './disk.js'
import { KeptJournal } from './kept-journal.js'
import type { CallPlan } from './plan.js'

export const OUTPUT_FILE = 'output'
const JOURNAL_FILE = 'journal'

export function openJournals(
  calls: readonly CallPlan[],
  disk: Disk,
  random: Random,
): (KeptJournal | undefined)[] {
  return calls.map((call, id) =>
    call.journal === undefined
      ? undefined
      : new KeptJournal(id, call, disk.open(`${JOURNAL_FILE}${id}`), random),
  )
}

/** The parent has crashed: with the machine, or alone. */
export function crash(disk: Disk, journals: readonly (KeptJournal | undefined)[], random: Random): void {
  const isAlone = random.chance(0.5)
  for (const journal of journals) journal?.crash(isAlone)
  if (!isAlone) disk.crash()
}

export function recover(disk: Disk, calls: number): void {
  for (let call = 0; call < calls; call++) disk.open(`${OUTPUT_FILE}${call}`).truncate(0)
}
