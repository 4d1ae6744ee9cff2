// The main function of the executable: the only place that prints errors and ends the process.
import { readFileSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { isatty } from 'node:tty'
import { OutputError, UsageError } from '../errors/classes.js'
import { EXIT } from '../errors/exit-codes.js'
import { sanitise } from '../errors/render/sanitise.js'
import { chooseCharset } from '../report/charset.js'
import { completionScript } from './completion.js'
import { parseCommandLine } from './program.js'

/** Saved before --callbacks modules run in this process and have `process.exit` replaced. */
const exit = process.exit.bind(process)

/** How long a slow reader of stderr may delay the exit; one that is blocked must not prevent it. */
const FLUSH_STDERR_MS = 1_000

async function main(): Promise<void> {
  const charset = chooseCharset(process.env)
  // A closed stderr must not stop the run.
  process.stderr.on('error', () => {})
  try {
    const line = parseCommandLine({
      argv: process.argv.slice(2),
      env: process.env,
      // Touching `process.stdin` would open a stream that not every run reads.
      stdinIsTTY: isatty(0),
      availableParallelism: availableParallelism(),
      readFile: (path) => new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)),
    })
    if (line.kind === 'print') return await write(process.stdout, charset.text(line.text), EXIT.ok)
    if (line.kind === 'completion') return await write(process.stdout, completionScript(line.shell), EXIT.ok)
    if (line.kind === 'init') {
      const { writeStarter } = await import('./starter.js')
      return await write(process.stdout, writeStarter(line.folder), EXIT.ok)
    }
    // Loaded only for a run, so that help and usage errors stay as fast as Node itself. The workers start while the rest
    // loads; they wait for the job, so nothing has run yet when the files are refused.
    const { startWorkers } = await import('../run/workers.js')
    const workers = startWorkers(line.plan)
    const { refuseSameFiles } = await import('../run/same-file.js')
    refuseSameFiles(line.plan, process.cwd())
    const { runInTerminal } = await import('./run-in-terminal.js')
    const { exitCode, signal } = await runInTerminal(line.plan, workers)
    if (signal === undefined) return exit(exitCode)
    // End by the same signal, so that the shell sees it. PID 1 ignores signals without a handler: exit with a code there.
    process.kill(process.pid, signal)
    setImmediate(exit, 128 + constants.signals[signal])
  } catch (error) {
    const usage = error instanceof UsageError
    const text =
      usage || error instanceof OutputError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error)
    await write(
      process.stderr,
      charset.text(`poolrun: ${sanitise(text)}\n`),
      usage ? EXIT.usage : EXIT.trouble,
    )
  }
}

/** Writes the text, then exits. Pipes are written asynchronously: exiting earlier would lose output. */
function write(stream: NodeJS.WriteStream, text: string, exitCode: number): Promise<never> {
  return new Promise(() => {
    if (stream === process.stderr) setTimeout(exit, FLUSH_STDERR_MS, exitCode)
    stream.on('error', () => exit(exitCode === EXIT.ok ? EXIT.brokenPipe : exitCode))
    stream.write(text, () => exit(exitCode))
  })
}

void main()
