// The main function of the executable: the only place that prints errors and ends the process.
import { readFileSync, stat, statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { OutputError, PoolError } from '../errors/classes.js'
import { environmentProblem } from '../errors/environment.js'
import { EXIT, exitCodeOf } from '../errors/exit-codes.js'
import { sanitise } from '../errors/render/sanitise.js'
import { processors } from '../processors.js'
import { chooseCharset } from '../report/charset.js'
import type { RunResult } from '../run/run-host.js'
import { standardOutput } from '../write/standard-output.js'
import { completionScript } from './completion.js'
import { endBySignal } from './end-by-signal.js'
import { isHangupIgnored } from './hangup.js'
import { type CommandLine, parseCommandLine } from './program.js'

/** Saved before --callbacks modules run in this process and have `process.exit` replaced. */
const exit = process.exit.bind(process)

/** How long a slow reader of stderr may delay the exit; one that is blocked must not prevent it. */
const FLUSH_STDERR_MS = 1_000

async function main(): Promise<void> {
  const charset = chooseCharset(process.env)
  // A closed stderr must not stop the run.
  process.stderr.on('error', () => {})
  exitIfStalled()
  try {
    const line = parseCommandLine({
      argv: process.argv.slice(2),
      env: process.env,
      // Touching `process.stdin` would open a stream that not every run reads.
      stdinIsTTY: isatty(0),
      availableParallelism: processors().count,
      readFile: (path) => new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)),
      isFile,
    })
    if (line.kind === 'print') return await write(standardOutput(), charset.text(line.text), EXIT.ok)
    if (line.kind === 'completion')
      return await write(standardOutput(), completionScript(line.shell), EXIT.ok)
    if (line.kind === 'init') {
      const { writeStarter } = await import('./starter.js')
      return await write(standardOutput(), writeStarter(line.folder), EXIT.ok)
    }
    if (line.kind === 'journal') {
      const { journalText } = await import('../run/show-journal.js')
      return await write(standardOutput(), charset.text(journalText(line)), EXIT.ok)
    }
    // Loaded only for a run, so that help and usage errors stay as fast as Node itself. The workers start while the rest
    // loads; they wait for the job, so nothing has run yet when the files are refused.
    const ignoresHangup = isHangupIgnored()
    // Node has set it back to its default.
    if (ignoresHangup) process.on('SIGHUP', () => {})
    const cwd = process.cwd()
    if (line.plan.exec !== undefined) (await import('../exec/command-line.js')).templateOf(line.plan.exec)
    // Starts libuv's threads before the workers can use up what the system allows: without them, this process aborts.
    stat('.', () => {})
    if (line.kind === 'merge') return await endRun(await merge(line, ignoresHangup))
    const { startWorkers } = await import('../run/workers.js')
    const workers = startWorkers(line.plan)
    const { refuseSameFiles } = await import('../run/same-file.js')
    refuseSameFiles(line.plan, cwd)
    const { runInTerminal } = await import('./run-in-terminal.js')
    endRun(await runInTerminal(line.plan, workers, { ignoresHangup }))
  } catch (error) {
    const exitCode = exitCodeOf(error)
    await write(process.stderr, charset.text(`poolrun: ${sanitise(messageFor(error))}\n`), exitCode)
  }
}

function endRun({ exitCode, signal }: RunResult): void {
  if (signal === undefined) return exit(exitCode)
  endBySignal(signal, exit)
}

async function merge(
  { paths, plan, judges }: Extract<CommandLine, { kind: 'merge' }>,
  ignoresHangup: boolean,
): Promise<RunResult> {
  const { openMerge } = await import('../run/merge.js')
  const opened = openMerge(paths, plan, judges)
  const { refuseSameFiles } = await import('../run/same-file.js')
  refuseSameFiles(opened.plan, process.cwd())
  const { runInTerminal } = await import('./run-in-terminal.js')
  return runInTerminal(opened.plan, opened.workers, { ignoresHangup }, opened.stages)
}

function messageFor(error: unknown): string {
  if (error instanceof PoolError) return error.message
  return (
    environmentProblem(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error))
  )
}

/** Whatever keeps this process from looking at it is said when the job is loaded. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Node exits with 0 once nothing is left to wait for, whatever still waits. A callback that never settles is noticed
 * before; if nothing follows from that, the run has lost its way.
 */
function exitIfStalled(): void {
  let isStalled = false
  process.on('beforeExit', () => {
    if (isStalled) {
      process.stderr.write(
        'poolrun: the run waits, and nothing is left to wait for: this is a bug in poolrun\n',
      )
      exit(EXIT.trouble)
    }
    isStalled = true
    setImmediate(() => {})
  })
}

/** Writes the text, then exits. Pipes are written asynchronously: exiting earlier would lose output. */
function write(stream: Writable, text: string, exitCode: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (error?: NodeJS.ErrnoException | null) => {
      // A closed stderr changes nothing.
      if (error === undefined || error === null || stream === process.stderr) exit(exitCode)
      if (error?.code === 'EPIPE') exit(EXIT.brokenPipe)
      reject(new OutputError(`cannot write to stdout: ${error?.message}`, { cause: error }))
    }
    if (stream === process.stderr) setTimeout(exit, FLUSH_STDERR_MS, exitCode)
    stream.on('error', end)
    stream.write(text, end)
  })
}

void main()
