// The job of `--exec`, which workers load in place of a module of the user: its task runs one command. A worker runs many at
// the same time (`concurrency`), and its limits, retries, records and signals are those of any task.
import { spawnSync } from 'node:child_process'
import { environmentProblem } from '../errors/environment.js'
import type { Failure } from '../model.js'
import type { CommandPlan } from '../plan.js'
import { MAX_ARGUMENT_BYTES, stdinOf, templateOf, tooLong, unsendable, valuesFor } from './command-line.js'
import { isExecutable } from './executable.js'
import { textOf } from './placeholders.js'
import { ResultFiles } from './result-files.js'
import { Room } from './room.js'
import { type Ended, runCommand } from './run-command.js'
import { StderrLines } from './stderr-lines.js'
import type { Template } from './template.js'

/** A failure that is found here, in place of an error: `worker/outcome` reads it. */
const FAILURE = Symbol.for('poolrun.failure')
/** Set by the worker where output is attributed to items. */
const MARK_OUTPUT = Symbol.for('poolrun.markOutput')

/** What of a task's context is used here. */
interface Context {
  readonly index: number
  readonly attempt: number
  readonly workerId: number
  readonly signal: AbortSignal
}

export interface CommandJobOptions extends CommandPlan {
  readonly killAfterMs: number
  readonly processes: number
}

const MAX_MESSAGE_CHARACTERS = 2000
const MAX_COMMAND_CHARACTERS = 1024 * 1024

let commands: Commands

export function initializer(options: CommandJobOptions): void {
  commands = new Commands(options)
}

export default function command(item: unknown, context: Context): Promise<unknown> {
  return commands.run(item, context)
}

class CommandFailed {
  readonly [FAILURE]: Failure

  constructor(failure: Failure) {
    this[FAILURE] = failure
  }
}

class Commands {
  readonly #options: CommandJobOptions
  readonly #template: Template
  /** A copy: to read all of `process.env` for each command takes longer. */
  readonly #env = { ...process.env }
  readonly #room: Room
  readonly #busySlots: boolean[] = []
  #isMissing: boolean | undefined

  constructor(options: CommandJobOptions) {
    this.#options = options
    this.#template = templateOf(options)
    delete this.#env.POOLRUN_ITEM
    const { stdin, results } = options
    this.#room = new Room(2 + (stdin ? 1 : 0) + (results === undefined ? 0 : 1))
  }

  async run(item: unknown, context: Context): Promise<unknown> {
    const local = this.#takeSlot()
    try {
      return await this.#run(item, context, this.#firstSlot(context.workerId) + local)
    } finally {
      this.#busySlots[local] = false
    }
  }

  #takeSlot(): number {
    const free = this.#busySlots.indexOf(false)
    const slot = free === -1 ? this.#busySlots.length : free
    this.#busySlots[slot] = true
    return slot
  }

  /** Workers with a lower id run as many commands as this one, or one more. */
  #firstSlot(workerId: number): number {
    const { processes, commands: all } = this.#options
    const workers = Math.max(1, processes)
    return workerId * Math.floor(all / workers) + Math.min(workerId, all % workers)
  }

  async #run(item: unknown, context: Context, slot: number): Promise<unknown> {
    const { spread, stdin, output, results, maxOutputBytes, killAfterMs } = this.#options
    const { index, attempt, signal } = context
    const values = valuesFor(this.#template, spread, { item, index, slot })
    if ('failure' in values) throw new CommandFailed(values.failure)
    const [file, ...args] = this.#template.argv(values)
    const show = () => this.#template.show(values)
    const environments = this.#environments(item, index, attempt, slot)
    const lines = new StderrLines((bytes) => passOn(bytes, index))
    let files: ResultFiles | undefined
    let ended: Ended
    try {
      ended = await this.#room.run(signal, async (started) => {
        files = results === undefined ? undefined : new ResultFiles(results, index)
        try {
          return await startWithOneOf(environments, (env) =>
            runCommand({
              file,
              args,
              env,
              stdin: stdin ? stdinOf(item) : undefined,
              stdout: files?.out.fd ?? (output === 'none' ? 'ignore' : undefined),
              maxOutputBytes,
              signal,
              killAfterMs,
              onStart: started,
              onStderr(bytes) {
                files?.writeErr(bytes)
                lines.push(bytes)
              },
            }),
          )
        } catch (error) {
          files?.drop()
          throw error
        }
      })
    } catch (error) {
      throw this.#notStarted(error, show)
    }
    lines.end()
    const { exitCode, signal: endedBy } = ended
    const unwritten = files?.keep()
    if (ended.isOutputTooLong)
      throw new CommandFailed(
        unsendable(
          'result',
          `the command printed more than --max-output allows; with --results <dir> it goes to a file`,
        ),
      )
    const props = { exitCode, signal: endedBy, stderrTail: lines.tail }
    if (exitCode !== 0 || signal.aborted) {
      const why = endedBy === null ? `exited with code ${exitCode}` : `killed by ${endedBy}`
      const isMissing = (exitCode === 127 || exitCode === 126) && this.#isFirstWordMissing()
      throw this.#failed(why, show(), props, isMissing)
    }
    if (unwritten !== undefined) throw this.#failed(unwritten, show(), props, false)
    if (files === undefined) return resultOf(ended.stdout, output)
    return output === 'none' ? null : { out: files.out.path, err: files.err.path, exitCode }
  }

  /** With the item, unless no variable can hold it, and without. */
  #environments(item: unknown, index: number, attempt: number, slot: number): NodeJS.ProcessEnv[] {
    const env = {
      ...this.#env,
      POOLRUN_INDEX: `${index}`,
      POOLRUN_ATTEMPT: `${attempt}`,
      POOLRUN_SLOT: `${slot}`,
    }
    const text = textOf(item)
    const fits =
      text.length < MAX_ARGUMENT_BYTES &&
      !text.includes('\0') &&
      Buffer.byteLength(text) < MAX_ARGUMENT_BYTES - 'POOLRUN_ITEM='.length
    return fits ? [{ ...env, POOLRUN_ITEM: text }, env] : [env]
  }

  #notStarted(error: unknown, show: () => string): CommandFailed {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (code === 'E2BIG')
      return new CommandFailed(unsendable('argument', tooLong(undefined, this.#options.spread)))
    // Not of a file of --results.
    const isMissing =
      syscall?.startsWith('spawn') === true && (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR')
    const missing = code === 'EACCES' ? 'it cannot be executed' : 'there is no such program'
    const why = `not started (${isMissing ? missing : (environmentProblem(error) ?? message)})`
    const exitCode = isMissing ? (code === 'EACCES' ? 126 : 127) : null
    return this.#failed(why, show(), { exitCode, signal: null, stderrTail: [] }, isMissing)
  }

  #failed(
    why: string,
    command: string,
    props: { exitCode: number | null; signal: string | null; stderrTail: readonly string[] },
    isMissing: boolean,
  ): CommandFailed {
    const shown =
      command.length > MAX_MESSAGE_CHARACTERS ? `${command.slice(0, MAX_MESSAGE_CHARACTERS)}…` : command
    const { firstWord } = this.#template
    return new CommandFailed({
      kind: 'error',
      error: {
        type: 'error',
        name: 'CommandError',
        message: `${why}: ${shown}`,
        frames: '',
        builtin: 'Error',
        props: { command: command.slice(0, MAX_COMMAND_CHARACTERS), ...props },
      },
      ...(isMissing && firstWord !== undefined && { retry: 'never', missingCommand: firstWord }),
    })
  }

  /** Asked once: the shell knows its functions and builtins. */
  #isFirstWordMissing(): boolean {
    const { firstWord } = this.#template
    if (firstWord === undefined) return false
    this.#isMissing ??= firstWord.includes('/')
      ? !isExecutable(firstWord)
      : spawnSync(this.#options.shell, ['-c', 'command -v -- "$1"', 'sh', firstWord], { stdio: 'ignore' })
          .status !== 0
    return this.#isMissing
  }
}

/** The item as a variable and as an argument may be too much together. */
async function startWithOneOf(
  [first, ...others]: readonly NodeJS.ProcessEnv[],
  start: (env: NodeJS.ProcessEnv) => Promise<Ended>,
): Promise<Ended> {
  try {
    return await start(first!)
  } catch (error) {
    if (others.length === 0 || codeOf(error) !== 'E2BIG') throw error
    return startWithOneOf(others, start)
  }
}

function codeOf(error: unknown): unknown {
  return (error as NodeJS.ErrnoException).code
}

/** Blocks, as the worker's own output does: the order stays, and a crash loses nothing. */
function passOn(bytes: Buffer, index: number): void {
  ;(globalThis as { [MARK_OUTPUT]?: (index: number) => void })[MARK_OUTPUT]?.(index)
  process.stderr.write(bytes)
}

// ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function resultOf(stdout: Buffer, output: CommandPlan['output']): unknown {
  if (output === 'none') return null
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(stdout)
  } catch (error) {
    const why = codeOf(error) === 'ERR_STRING_TOO_LONG' ? 'larger than 512 MiB' : 'not UTF-8'
    const message = `the output of the command is ${why}; with --results <dir> it goes to a file as it is`
    throw new CommandFailed(unsendable('result', message))
  }
  if (output === 'text') return text.replace(/\r?\n$/, '')
  if (output === 'lines') return linesOf(text)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandFailed(
      unsendable('result', `the output of the command is not JSON: ${(error as Error).message}`),
    )
  }
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, end === -1 ? text.length : end)
    yield line.endsWith('\r') ? line.slice(0, -1) : line
    from = end === -1 ? text.length : end + 1
  }
}
