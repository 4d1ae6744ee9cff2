// Removes a temporary file when this process has ended. A shell as a helper process waits for its pipe: its end means that
// the file is not needed any more, a line that it was renamed or must stay.
import type { ChildProcess } from 'node:child_process'
import { endHelper, startHelper } from './helper-process.js'

/** Signals that reach all processes of a run are ignored: its work comes after them. */
const SCRIPT = `
trap '' TERM INT HUP QUIT USR1 USR2
IFS= read -r released || rm -f -- "$FILE"
`

export class FileRemover {
  readonly #shells = new Map<string, ChildProcess>()
  readonly #exits: Promise<void>[] = []

  watch(path: string): void {
    // Windows has no shell of this kind.
    if (process.platform === 'win32') return
    try {
      this.#shells.set(path, startShell(path))
    } catch {
      // Where no process can be started, the file is only removed if this one has time for it.
    }
  }

  forget(path: string): void {
    const shell = this.#shells.get(path)
    if (shell?.pid === undefined || !this.#shells.delete(path)) return
    const exited = new Promise<void>((resolve) => {
      shell.once('exit', () => resolve())
      if (shell.exitCode !== null || shell.signalCode !== null) resolve()
    })
    this.#exits.push(exited)
    endHelper(shell, 'released\n')
  }

  /**
   * Resolves when the shells of forgotten files have exited. If this process exited first, they would stay as zombies where
   * PID 1 is not an init, as in many containers.
   */
  async rest(): Promise<void> {
    await Promise.all(this.#exits)
  }
}

function startShell(path: string): ChildProcess {
  const shell = startHelper('/bin/sh', ['-c', SCRIPT], {
    // Not an argument: `pkill -f poolrun` would find it there, in the name of the file.
    FILE: path,
  })
  // There is no shell on the machine.
  shell.on('error', () => {})
  return shell
}
