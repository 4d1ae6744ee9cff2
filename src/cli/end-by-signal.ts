// Ends this process by the signal that ended the run, so that the shell sees it.
import { constants } from 'node:os'

/** What tests replace. */
export interface SignalSystem {
  readonly platform: NodeJS.Platform
  /** To this process. */
  raise(signal: NodeJS.Signals): void
}

const SYSTEM: SignalSystem = {
  platform: process.platform,
  raise: (signal) => void process.kill(process.pid, signal),
}

/** `exit`: as it was before modules of the user could replace it. */
export function endBySignal(
  signal: NodeJS.Signals,
  exit: (code: number) => void,
  system: SignalSystem = SYSTEM,
): void {
  const exitCode = 128 + constants.signals[signal]
  // Windows has no signals: raising one there would end this process with 1, or fail.
  if (system.platform === 'win32') return exit(exitCode)
  try {
    system.raise(signal)
  } catch {
    return exit(exitCode)
  }
  // PID 1 ignores signals without a handler.
  setImmediate(exit, exitCode)
}
