// Runs one command: starts it in a process group of its own, reads what it prints, and ends the whole group.
// `spawn`, and not execa: measured, execa takes a millisecond of processor time more per command, as much as the rest.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { killGroupOf, killTree } from '../transport/kill-tree.js'
import { reaper } from '../transport/reaper.js'

/**
 * How long to wait for the end of the pipes after the command has exited: what it has started may hold them for as long as
 * it runs.
 */
const OUTPUT_GRACE_MS = 100

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly stdin: string | undefined
  /** A descriptor for stdout; `undefined` reads it, `ignore` drops it. */
  readonly stdout: number | 'ignore' | undefined
  readonly maxOutputBytes: number
  readonly signal: AbortSignal
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number
  onStart(): void
  onStderr(bytes: Buffer): void
}

export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly isOutputTooLong: boolean
}

/** Rejects with the error of the system if no process was started. */
export function runCommand(command: Command): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { file, args, env, stdin, stdout } = command
    const stdio: StdioOptions = [stdin === undefined ? 'ignore' : 'pipe', stdout ?? 'pipe', 'pipe']
    let child: ChildProcess
    try {
      child = spawn(file, args, { stdio, env, detached: true })
    } catch (error) {
      return reject(error)
    }
    if (child.pid === undefined) return void child.on('error', reject)
    command.onStart()
    new RunningCommand(child, child.pid, command, resolve)
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
  })
}

class RunningCommand {
  readonly #child: ChildProcess
  readonly #pid: number
  readonly #command: Command
  readonly #onEnd: (ended: Ended) => void
  readonly #output: Buffer[] = []
  #outputBytes = 0
  #isOutputTooLong = false
  #killTimer: NodeJS.Timeout | undefined
  #outputTimer: NodeJS.Timeout | undefined
  #exit: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null } | undefined
  readonly #stop = () => this.#terminate()

  constructor(child: ChildProcess, pid: number, command: Command, onEnd: (ended: Ended) => void) {
    this.#child = child
    this.#pid = pid
    this.#command = command
    this.#onEnd = onEnd
    reaper.watch(pid)
    child.stdout?.on('data', (bytes: Buffer) => this.#read(bytes))
    child.stderr?.on('data', (bytes: Buffer) => command.onStderr(bytes))
    // Only a failed kill, which changes nothing.
    child.on('error', () => {})
    child.on('exit', (exitCode, signal) => {
      this.#exit = { exitCode, signal }
      clearTimeout(this.#killTimer)
      // A timer that is due runs before the event loop reads what has arrived.
      this.#outputTimer = setTimeout(() => setImmediate(() => this.#leavePipes()), OUTPUT_GRACE_MS)
    })
    child.on('close', () => this.#end())
    const { signal } = command
    if (signal.aborted) this.#terminate()
    else signal.addEventListener('abort', this.#stop, { once: true })
  }

  #read(bytes: Buffer): void {
    if (this.#isOutputTooLong) return
    this.#outputBytes += bytes.length
    if (this.#outputBytes <= this.#command.maxOutputBytes) return void this.#output.push(bytes)
    this.#isOutputTooLong = true
    this.#output.length = 0
    this.#terminate()
  }

  #terminate(): void {
    if (this.#exit !== undefined || this.#killTimer !== undefined) return
    killTree(this.#pid, 'SIGTERM')
    // A group that is stopped notices SIGTERM only then.
    killTree(this.#pid, 'SIGCONT')
    this.#killTimer = setTimeout(killTree, this.#command.killAfterMs, this.#pid, 'SIGKILL')
  }

  /** What still holds the pipes was left behind by the command. */
  #leavePipes(): void {
    for (const pipe of [this.#child.stdout, this.#child.stderr] as (Readable | null)[]) pipe?.destroy()
  }

  #end(): void {
    clearTimeout(this.#outputTimer)
    clearTimeout(this.#killTimer)
    this.#command.signal.removeEventListener('abort', this.#stop)
    // What it has started ends with it.
    killGroupOf(this.#pid)
    reaper.forget(this.#pid)
    const { exitCode, signal } = this.#exit ?? { exitCode: null, signal: null }
    const stdout = this.#output.length === 1 ? this.#output[0]! : Buffer.concat(this.#output)
    this.#onEnd({ exitCode, signal, stdout, isOutputTooLong: this.#isOutputTooLong })
  }
}
