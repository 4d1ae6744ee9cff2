// The words of all warnings: one wording for the terminal and for the library.
import type { ErrorData } from '../error-data.js'
import type { Warning } from '../model.js'
import { describeExit, workerTitle } from './messages.js'

export function warningText(warning: Warning): string {
  switch (warning.kind) {
    case 'finalizer-timeout': {
      const { workerId, pid, afterMs } = warning
      return `${workerTitle(workerId, pid)} did not stop within ${afterMs} ms and was killed`
    }
    case 'exit-between-items': {
      const { workerId, pid, exitCode, signal, uncaughtError } = warning
      const title = workerTitle(workerId, pid)
      return `${title} ${describeExit(exitCode, signal)} between items${causeText(uncaughtError)}`
    }
    case 'text':
      return warning.text
    default:
      return warning satisfies never
  }
}

function causeText(uncaughtError: ErrorData | undefined): string {
  if (uncaughtError === undefined) return ''
  const thrown =
    uncaughtError.type === 'error' ? `${uncaughtError.name}: ${uncaughtError.message}` : uncaughtError.preview
  return `; outside any item the job threw: ${thrown}`
}
