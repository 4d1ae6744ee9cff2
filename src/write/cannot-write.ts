// Why a file cannot be written, in the words of all messages that say so.
import { OutputError } from '../errors/classes.js'
import { isSpecial } from './target.js'

export const WHY_NOT_WRITTEN = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is not a folder',
  EISDIR: 'it is a directory',
  ENXIO: 'it is a socket',
  ELOOP: 'it is a loop of symbolic links',
  ENAMETOOLONG: 'its name is too long',
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it (EPERM)',
  EBUSY: 'it is in use (EBUSY)',
  EXDEV: 'it is on another file system (EXDEV)',
  ETXTBSY: 'it is a program that runs',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would be larger than the limit (ulimit -f)',
} as const satisfies Readonly<Record<string, string>>

export function cannotWrite(what: string, path: string, error: unknown, more = ''): OutputError {
  if (error instanceof OutputError) return error
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT' && isSpecial(path)
  const reason = isMissing ? 'it does not exist' : whyNotWritten(error)
  return new OutputError(`cannot write ${what} ${path}: ${reason}${more}`, { cause: error })
}

export function whyNotWritten(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const known = WHY_NOT_WRITTEN[code as keyof typeof WHY_NOT_WRITTEN]
  return known ?? (error instanceof Error ? error.message : String(error))
}
