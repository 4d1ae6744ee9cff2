// The search in the groups of failures.
import { type FailureGroup, groupFailures } from '../../../failure-groups.js'
import type { FailureRecord } from '../../../files/run-record.js'

/** Keeps the failures whose index is `query` or whose text or item contains it; drops groups that become empty. */
export function filterGroups(groups: readonly FailureGroup[], query: string): readonly FailureGroup[] {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return groups
  return groupFailures(
    groups.flatMap(({ failures }) => failures.filter((failure) => matches(failure, wanted))),
  )
}

function matches({ index, text, item }: FailureRecord, wanted: string): boolean {
  return String(index) === wanted || `${text}\n${item}`.toLowerCase().includes(wanted)
}
