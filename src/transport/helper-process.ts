// A small process beside this one that does its work once this one has ended, even by SIGKILL, after which no handler runs
// here. It reads from a pipe that only this process holds, and takes the end of the pipe for the end of this process.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout } from '../clock.js'
import type { Ms } from '../model.js'

/** Its exit takes a millisecond. One that is stopped does not notice that it should exit. */
const END_TIMEOUT_MS: Ms = 1_000

/** Does not keep this process alive. As for `spawn`, some failures are thrown, and others are emitted as `error`. */
export function startHelper(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const helper = spawn(command, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not in the terminal's process group: Ctrl-C must not end it before its work is done.
    detached: true,
    windowsHide: true,
    cwd: process.platform === 'win32' ? undefined : '/',
    env: { ...process.env, ...env },
  })
  helper.stdin?.on('error', () => {})
  helper.unref()
  ;(helper.stdin as unknown as { unref(): void } | null)?.unref()
  return helper
}

/** Closes the pipe, with a last message. From now on it keeps this process alive until it has exited. */
export function endHelper(helper: ChildProcess, message?: string): void {
  helper.ref()
  helper.stdin?.end(message)
  setTimeout(() => helper.kill('SIGKILL'), END_TIMEOUT_MS).unref()
}
