// Removes a temporary file when this process has ended. A helper process waits for its pipe: its end means that the file is
// not needed any more, a line that it was renamed or must stay.
import type { ChildProcess } from 'node:child_process'
import { endHelper, startHelper } from './helper-process.js'
import type { ReaperProgram } from './reaper.js'

/**
 * For `/bin/sh`. Signals that reach all processes of a run are ignored: its work comes after them. `command -p` finds `rm`
 * whatever PATH is.
 */
const SHELL_SCRIPT = `
trap '' TERM INT HUP QUIT USR1 USR2
IFS= read -r released || command -p rm -f -- "$FILE"
`

/** The same for Node, where there is no shell that works, as in minimal containers. */
const NODE_SCRIPT = `
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => {})
let released = false
process.stdin.on('data', () => { released = true }).on('end', () => {
  if (!released) require('node:fs').rmSync(process.env.FILE, { force: true })
})
`

/** In the order in which they are tried. Windows has no shell of this kind, and keeps the file. */
export const PROGRAMS: readonly ReaperProgram[] =
  process.platform === 'win32'
    ? []
    : [
        { command: '/bin/sh', args: ['-c', SHELL_SCRIPT] },
        { command: process.execPath, args: ['-e', NODE_SCRIPT] },
      ]

export class FileRemover {
  readonly #programs: readonly ReaperProgram[]
  readonly #helpers = new Map<string, ChildProcess>()
  readonly #exits: Promise<void>[] = []

  constructor(programs: readonly ReaperProgram[] = PROGRAMS) {
    this.#programs = programs
  }

  watch(path: string): void {
    this.#start(path, 0)
  }

  #start(path: string, index: number): void {
    const program = this.#programs[index]
    if (program === undefined) return
    try {
      const helper = startProgram(program, path)
      this.#helpers.set(path, helper)
      const tryNext = () => {
        if (this.#helpers.get(path) === helper) this.#start(path, index + 1)
      }
      helper.on('error', tryNext).once('exit', tryNext)
    } catch {
      // Where no process can be started, the file is only removed if this one has time for it.
    }
  }

  forget(path: string): void {
    const helper = this.#helpers.get(path)
    this.#helpers.delete(path)
    if (helper?.pid === undefined) return
    const exited = new Promise<void>((resolve) => {
      helper.once('exit', () => resolve())
      if (helper.exitCode !== null || helper.signalCode !== null) resolve()
    })
    this.#exits.push(exited)
    endHelper(helper, 'released\n')
  }

  /**
   * Resolves when the helpers of forgotten files have exited. If this process exited first, they would stay as zombies where
   * PID 1 is not an init, as in many containers.
   */
  async rest(): Promise<void> {
    await Promise.all(this.#exits)
  }
}

function startProgram({ command, args }: ReaperProgram, path: string): ChildProcess {
  return startHelper(command, args, {
    // Not an argument: `pkill -f poolrun` would find it there, in the name of the file.
    FILE: path,
    NODE_OPTIONS: '',
  })
}
