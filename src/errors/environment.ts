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
  return `${error.message}${help || limitHint(error.message)}`
}

/** What Node, libuv, glibc, musl and Go write where the system allows no more processes or threads. */
const LACKS_PROCESSES =
  /\bspawn\b.*\bEAGAIN\b|Resource temporarily unavailable|uv_thread_create|pthread_create|failed to create new OS thread/

export function isLimitOfProcesses(text: string): boolean {
  return LACKS_PROCESSES.test(text)
}

/** What helps where a message says that there are no more processes; empty for any other message. */
export function limitHint(text: string): string {
  return isLimitOfProcesses(text)
    ? '; raise the limit of processes and threads (ulimit -u, pids.max of the container) or lower --processes'
    : ''
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
