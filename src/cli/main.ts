// The executable's main function: the one place that prints what went wrong and decides how the process ends.
import { availableParallelism, constants } from 'node:os'
import { isatty } from 'node:tty'
import { OutputError, UsageError } from '../errors/classes.js'
import { EXIT } from '../errors/exit-codes.js'
import { sanitise } from '../errors/sanitise.js'
import { chooseCharset } from '../report/charset.js'
import { completionScript } from './completion.js'
import { parseCommandLine } from './program.js'

/** Ours: code that runs in this process, a callback, is not to end it. */
const exit = process.exit.bind(process)

/** For a reader of stderr that is slow; one that stands still must not keep us from dying. */
const LAST_WORDS_MS = 1_000

async function main(): Promise<void> {
  const letters = chooseCharset(process.env)
  // A reader of stderr that went away must not stop the work.
  process.stderr.on('error', () => {})
  try {
    const line = parseCommandLine({
      argv: process.argv.slice(2),
      env: process.env,
      // `process.stdin` would make a stream, which not every run reads from.
      stdinIsTTY: isatty(0),
      availableParallelism: availableParallelism(),
    })
    if (line.kind === 'print') return await write(process.stdout, letters.text(line.text), EXIT.ok)
    if (line.kind === 'completion') return await write(process.stdout, completionScript(line.shell), EXIT.ok)
    if (line.kind === 'init') {
      const { writeStarter } = await import('./starter.js')
      return await write(process.stdout, writeStarter(line.folder), EXIT.ok)
    }
    // Only a run needs all of the rest: help and usage errors stay as quick as Node itself. Loading it overlaps with
    // the start of the workers.
    const { startWorkers } = await import('../run/workers.js')
    const workers = startWorkers(line.plan)
    const { runInTerminal } = await import('./run-in-terminal.js')
    const { exitCode, signal } = await runInTerminal(line.plan, workers)
    if (signal === undefined) return await write(process.stderr, '', exitCode)
    // The shell is to see a death by signal; as process 1, which signals do not end, by code.
    await Promise.race([
      new Promise((resolve) => process.stderr.write('', resolve)),
      new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS)),
    ])
    process.kill(process.pid, signal)
    await write(process.stderr, '', 128 + constants.signals[signal])
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
      letters.text(`poolrun: ${sanitise(text)}\n`),
      usage ? EXIT.usage : EXIT.trouble,
    )
  }
}

/** Ends the process once the text has left it; a pipe is written behind one's back, and an early exit would cut it. */
function write(stream: NodeJS.WriteStream, text: string, exitCode: number): Promise<never> {
  return new Promise(() => {
    stream.on('error', () => exit(exitCode === EXIT.ok ? EXIT.brokenPipe : exitCode))
    stream.write(text, () => exit(exitCode))
  })
}

void main()
