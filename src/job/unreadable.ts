// A file of the job cannot be read: the job is wrong, or the machine lacks something.
import { JobError, PoolBrokenError } from '../errors/classes.js'
import { environmentProblem } from '../errors/environment.js'
import { whyUnreadable } from '../errors/file-reasons.js'
import { showPath } from './reference.js'

export function unreadable(file: string, cwd: string, error: unknown): JobError | PoolBrokenError {
  const message = `cannot read ${showPath(file, cwd)}`
  const lacking = environmentProblem(error)
  return lacking === undefined
    ? new JobError(`${message}: ${whyUnreadable(error)}`, { cause: error })
    : new PoolBrokenError(`${message}: ${lacking}`, { cause: error })
}
