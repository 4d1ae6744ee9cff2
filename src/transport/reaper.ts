// Kills the workers when this process has ended, even if a worker is in a busy loop, where it does not notice. A helper
// process reads process groups from its pipe; at the end of the pipe it kills the groups. There is one for all pools.
import type { ChildProcess } from 'node:child_process'
import { endHelper, startHelper } from './helper-process.js'

/** Node's own: the tests of a program may replace it. */
const { queueMicrotask } = globalThis

/**
 * For `/bin/sh`, which starts in a millisecond. Its arguments are the first groups; `+ 12` and `- 12` add and remove one. At
 * the end of input the groups that are left are killed. Signals that reach all processes of a run are ignored: its work comes after them.
 */
const SHELL_SCRIPT = `
trap '' TERM INT HUP QUIT USR1 USR2
groups=" $* "
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`

/** The same for Node, where there is no shell that works: in minimal containers and on Windows. */
const NODE_SCRIPT = `
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => {})
const groups = new Set(process.argv.slice(1))
let rest = ''
process.stdin.setEncoding('latin1').on('data', (text) => {
  const lines = (rest + text).split('\\n')
  rest = lines.pop()
  for (const line of lines) line[0] === '+' ? groups.add(line.slice(2)) : groups.delete(line.slice(2))
}).on('end', () => {
  for (const group of groups)
    try {
      if (process.platform !== 'win32') process.kill(-group, 'SIGKILL')
      else require('node:child_process').spawnSync('taskkill', ['/T', '/F', '/PID', group], { windowsHide: true })
    } catch {}
})
`

export interface ReaperProgram {
  readonly command: string
  readonly args: readonly string[]
}

/** In the order in which they are tried. */
export const PROGRAMS: readonly ReaperProgram[] = [
  ...(process.platform === 'win32' ? [] : [{ command: '/bin/sh', args: ['-c', SHELL_SCRIPT, 'sh'] }]),
  { command: process.execPath, args: ['-e', NODE_SCRIPT] },
]

/** Of one that was killed. A program that is killed whenever it starts does not work. */
const MAX_RESTARTS = 3

export class Reaper {
  readonly #programs: readonly ReaperProgram[]
  readonly #groups = new Set<number>()
  #process: ReaperProcess | undefined
  #isPlanned = false
  #program = 0
  #restarts = 0
  #onMissing: (() => void) | undefined
  #isMissing = false

  constructor(programs: readonly ReaperProgram[] = PROGRAMS) {
    this.#programs = programs
  }

  watch(pid: number): void {
    this.#groups.add(pid)
    if (this.#process !== undefined) return this.#process.write(`+ ${pid}\n`)
    if (this.#isPlanned || this.#isMissing) return
    this.#isPlanned = true
    // Started after the workers that are being started now, because the run waits for them.
    queueMicrotask(() => {
      this.#isPlanned = false
      if (this.#groups.size > 0) this.#start()
    })
  }

  forget(pid: number): void {
    this.#groups.delete(pid)
    this.#process?.write(`- ${pid}\n`)
  }

  /** Called once, if no program works on this machine. A later callback takes the place of this one. */
  onMissing(callback: () => void): void {
    this.#onMissing = callback
  }

  /**
   * Ends its process if there is nothing to watch, and resolves when it has exited. If this process exited first, it would
   * stay as a zombie where PID 1 is not an init, as in many containers.
   */
  async rest(): Promise<void> {
    const { exited } = this.#process ?? {}
    if (this.#groups.size > 0 || exited === undefined) return
    this.#process!.end()
    this.#process = undefined
    await exited
  }

  #start(): void {
    const program = this.#programs[this.#program]
    if (program === undefined) {
      this.#isMissing = true
      return this.#onMissing?.()
    }
    try {
      const started = new ReaperProcess(program, this.#groups, (wasKilled) => {
        if (this.#process === started) this.#replace(wasKilled)
      })
      this.#process = started
    } catch {
      this.#replace(false)
    }
  }

  #replace(wasKilled: boolean): void {
    this.#process = undefined
    if (!wasKilled || ++this.#restarts > MAX_RESTARTS) {
      this.#program++
      this.#restarts = 0
    }
    if (this.#groups.size > 0) this.#start()
  }
}

class ReaperProcess {
  readonly #child: ChildProcess
  /** It could not be started, or has exited. */
  readonly exited: Promise<void>

  constructor(
    { command, args }: ReaperProgram,
    groups: Iterable<number>,
    onExit: (wasKilled: boolean) => void,
  ) {
    // The groups are arguments: this process may be killed before it can write them.
    const child = startHelper(command, [...args, ...Array.from(groups, String)], {
      // What the user wants of other Nodes, such as a debugger, is not for this one.
      NODE_OPTIONS: '',
    })
    this.#child = child
    this.exited = new Promise((resolve) => {
      const end = (wasKilled: boolean) => {
        resolve()
        onExit(wasKilled)
      }
      child.once('error', () => {
        if (child.pid === undefined) end(false)
      })
      child.once('exit', (_code, signal) => end(signal !== null))
    })
  }

  write(line: string): void {
    this.#child.stdin?.write(line)
  }

  end(): void {
    endHelper(this.#child)
  }
}

export const reaper = new Reaper()
