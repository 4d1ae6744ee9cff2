// Where the lock of a journal is while a run writes it. A file of its own, for runs without a journal.
export function lockPath(journal: string): string {
  return `${journal}.lock`
}
