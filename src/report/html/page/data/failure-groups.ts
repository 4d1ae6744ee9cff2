// Groups failures by their key, largest group first, and searches them.
import type { FailureRecord } from '../../../files/run-record.js'

/** Never empty; in the order in which the failures settled. */
export type FailureGroup = readonly FailureRecord[]

export function groupFailures(failures: readonly FailureRecord[]): FailureGroup[] {
  const groups = new Map<string, FailureRecord[]>()
  for (const failure of failures) {
    const group = groups.get(failure.group)
    if (group === undefined) groups.set(failure.group, [failure])
    else group.push(failure)
  }
  return [...groups.values()].sort((a, b) => b.length - a.length)
}

/** Keeps the failures whose index is `query` or whose text or item contains it; drops groups that become empty. */
export function filterGroups(groups: readonly FailureGroup[], query: string): FailureGroup[] {
  const wanted = query.trim().toLowerCase()
  return groups
    .map((group) => group.filter((failure) => wanted === '' || matches(failure, wanted)))
    .filter((group) => group.length > 0)
}

function matches({ index, text, item }: FailureRecord, wanted: string): boolean {
  return String(index) === wanted || `${text}\n${item}`.toLowerCase().includes(wanted)
}
