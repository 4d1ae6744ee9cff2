// What a hook of the job has thrown, for a warning.
import { toErrorData } from '../errors/capture/to-error-data.js'

/** Only the first frame: below the job's own function are the frames of poolrun. */
export function thrownText(thrown: unknown): string {
  const error = toErrorData(thrown)
  if (error.type !== 'error') return error.preview
  const frame = error.frames.split('\n')[0]!.trim()
  return `${error.name}: ${error.message}${frame === '' ? '' : ` (${frame})`}`
}
