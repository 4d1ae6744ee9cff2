// Errors of the operating system that say what the machine lacks. They are shown as a sentence, not as a bug.

/** What Node reports in a system error: https://nodejs.org/api/errors.html#class-systemerror */
type SystemError = Error & { readonly code: string; readonly syscall: string }

const LACKS_SOMETHING = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EROFS', 'ENOMEM', 'EAGAIN', 'EIO'])
const LACKS_DESCRIPTORS = new Set(['EMFILE', 'ENFILE'])

/** `undefined` for every other error. */
export function environmentProblem(error: unknown): string | undefined {
  if (!isSystemError(error)) return undefined
  if (error.syscall === 'uv_cwd')
    return 'the working directory does not exist any more; change to another one and start again'
  if (!LACKS_SOMETHING.has(error.code)) return undefined
  const help = LACKS_DESCRIPTORS.has(error.code) ? '; raise the limit of open files (ulimit -n)' : ''
  return `${error.message}${help}`
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
