// Ends a process together with what it has started: by its process group where there are any, by taskkill on Windows.
import { spawn } from 'node:child_process'

/** What tests replace. */
export interface ProcessSystem {
  readonly platform: NodeJS.Platform
  kill(pid: number, signal: NodeJS.Signals): void
  run(command: string, args: readonly string[]): void
}

const SYSTEM: ProcessSystem = {
  platform: process.platform,
  kill: (pid, signal) => void process.kill(pid, signal),
  run(command, args) {
    const child = spawn(command, args, { stdio: 'ignore', windowsHide: true })
    child.on('error', () => {})
    child.unref()
  },
}

/** Does nothing if the process has exited. `pid` leads its process group; 0 stands for a process that never started. */
export function killTree(pid: number, signal: NodeJS.Signals, system: ProcessSystem = SYSTEM): void {
  if (pid === 0) return
  if (system.platform === 'win32') {
    // It knows no signal that a process can handle or that stops it: those that would end it do.
    if (signal === 'SIGTERM' || signal === 'SIGKILL')
      system.run('taskkill', ['/T', '/F', '/PID', String(pid)])
    return
  }
  try {
    system.kill(-pid, signal)
  } catch {
    // No process of the group exists any more.
  }
}

/** After the process has exited. On Windows its children cannot be found by its pid any more, which may be in use again. */
export function killGroupOf(pid: number, system: ProcessSystem = SYSTEM): void {
  if (system.platform !== 'win32') killTree(pid, 'SIGKILL', system)
}
