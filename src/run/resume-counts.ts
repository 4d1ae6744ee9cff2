// The line that says what a resumed run will do. Where the input can be read twice, its items are counted before.
import { statSync } from 'node:fs'
import type { Journal } from '../journal/journal.js'
import type { RunPlan } from '../plan.js'
import { openRunInput } from './run-input.js'

interface ResumeCounts {
  readonly done: number
  readonly failed: number
  /** `undefined` where the input is a stream. */
  readonly new?: number
  /** Items of the journal that are not in the input. */
  readonly missing?: number
}

export async function describeResume(plan: RunPlan, cwd: string, journal: Journal): Promise<string> {
  const counts = canReadTwice(plan) ? await countItems(plan, cwd, journal) : undefined
  const { done, failed } = journal.table
  return resumeLine(counts ?? { done, failed }, plan.journal?.resume === 'missing')
}

function resumeLine(
  { done, failed, new: added = 0, missing = 0 }: ResumeCounts,
  keepsFailures: boolean,
): string {
  const parts = [
    ...(done > 0 ? [`${done} done`] : []),
    ...(failed > 0 ? [`${failed} failed (${keepsFailures ? 'stay as they are' : 'will run again'})`] : []),
    ...(added > 0 ? [`${added} new`] : []),
    ...(missing > 0 ? [`${missing} no longer in the input`] : []),
  ]
  return `resume: ${parts.length === 0 ? 'nothing is done' : parts.join(', ')}`
}

function canReadTwice({ input }: RunPlan): boolean {
  if (input.kind === 'stdin') return false
  return input.kind !== 'file' || statSync(input.path, { throwIfNoEntry: false })?.isFile() === true
}

async function countItems(plan: RunPlan, cwd: string, journal: Journal): Promise<ResumeCounts> {
  const source = await openRunInput(plan, cwd, () => {})
  const want = { items: Number.POSITIVE_INFINITY, bytes: 1 << 20 }
  const counts = { done: 0, failed: 0, new: 0 }
  let isWhole = true
  try {
    for (let chunk = await source.next(want); chunk !== undefined; chunk = await source.next(want)) {
      for (const event of journal.identify(chunk).events)
        if (event > 0) counts.done++
        else if (event < 0) counts.failed++
        else counts.new++
    }
  } catch {
    // It is found again where it counts.
    isWhole = false
  } finally {
    await source.close()
    journal.table.resetCounts()
  }
  const { done, failed } = journal.table
  return { ...counts, ...(isWhole && { missing: done + failed - counts.done - counts.failed }) }
}
