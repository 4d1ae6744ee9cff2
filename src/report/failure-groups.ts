// The failures of a report by the place where they occurred, with the different messages of each. Used by the reports, and
// by the page of the HTML report in a browser.
import type { FailureRecord } from './files/run-record.js'

export interface FailureGroup {
  /** Never empty; in the order in which they settled. */
  readonly failures: readonly FailureRecord[]
  /** The most frequent one first. */
  readonly messages: readonly MessageGroup[]
}

/** Failures of one place with the same name and message. */
export interface MessageGroup {
  readonly title: string
  readonly failures: readonly FailureRecord[]
}

/** Largest group first. */
export function groupFailures(failures: readonly FailureRecord[]): FailureGroup[] {
  return groupBy(failures, ({ group }) => group).map(([, members]) => {
    const byMessage = groupBy(members, ({ name, message }) => `${name}: ${message.split('\n', 1)[0]}`)
    return { failures: members, messages: byMessage.map(([title, failures]) => ({ title, failures })) }
  })
}

/** What is common to the failures: the message, if it is, and their class otherwise. */
export function titleOf({ failures, messages }: FailureGroup): string {
  if (messages.length === 1) return messages[0]!.title
  return `${failures[0]!.name}, ${messages.length} different messages`
}

function groupBy(
  failures: readonly FailureRecord[],
  keyOf: (failure: FailureRecord) => string,
): [string, FailureRecord[]][] {
  const groups = new Map<string, FailureRecord[]>()
  for (const failure of failures) {
    const key = keyOf(failure)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [failure])
    else group.push(failure)
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length)
}
