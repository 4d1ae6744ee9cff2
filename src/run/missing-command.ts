// The end of a run of commands (`--exec`) whose command does not exist.
import { JobError } from '../errors/classes.js'
import type { SettledRange } from '../model.js'

/** The error that ends the run if nothing has succeeded and the command is missing: every other item would fail in the same way. */
export function missingCommand({ failures }: SettledRange, succeeded: number): JobError | undefined {
  if (succeeded > 0) return undefined
  for (const { failure } of failures)
    if (failure.kind === 'error' && failure.missingCommand !== undefined) {
      const { exitCode, stderrTail } = failure.error.type === 'error' ? failure.error.props : {}
      const why = exitCode === 126 ? 'cannot be executed' : 'was not found'
      const said = Array.isArray(stderrTail) && stderrTail.length > 0 ? ` (${String(stderrTail.at(-1))})` : ''
      const isName = exitCode !== 126 && !failure.missingCommand.includes('/')
      const hint = isName ? '; functions and aliases of your own shell are not known there' : ''
      return new JobError(`--exec: the command ${failure.missingCommand} ${why}${said}${hint}`)
    }
  return undefined
}
