// Drives the real command line: starts bin/poolrun.js, waits for its exit within a hard limit, and checks that no
// process is left.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { inject, onTestFinished } from 'vitest'
import { eventually } from './eventually.js'
import { killMarked, listMarked, MARK, waitUntilNoneLeft } from './no-orphans.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'bin/poolrun.js')

export const fixture = (name: string) => `test/fixtures/jobs/${name}.ts`
export const broken = (name: string) => `test/fixtures/broken/${name}.ts`
export const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

export interface RunOptions {
  /** Content of stdin; empty without it. */
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The test fails if the run has not exited by then. */
  readonly timeoutMs?: number
  /** Leaves stdout to the test, which may not read it at all. */
  readonly unread?: boolean
}

export interface CliResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly durationMs: number
}

const KEEP = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SystemRoot'] as const
const LIMIT_MS = 15_000
let runs = 0

/**
 * A small environment: no variable of the machine for colour, CI or a test runner reaches the run. It has one worker
 * unless the test gives `-j`, so that tests do the same on every machine and start no process that they do not need.
 */
function environment(mark: string, extra: RunOptions['env']): Record<string, string> {
  const cache = inject('cacheDir') ?? join(tmpdir(), 'poolrun-test-cache')
  const kept = KEEP.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return {
    ...Object.fromEntries(kept),
    XDG_CACHE_HOME: cache,
    POOLRUN_PROCESSES: '1',
    [MARK]: mark,
    ...extra,
  }
}

function launch(command: string, args: readonly string[], mark: string, options: RunOptions) {
  return execa(command, args, {
    cwd: options.cwd ?? root,
    env: environment(mark, options.env),
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
    stripFinalNewline: false,
    maxBuffer: 1 << 28,
    buffer: { stdout: !options.unread, stderr: true },
  })
}

export interface Started {
  readonly child: ReturnType<typeof launch>
  /** Everything with this mark in its environment was started by this run. */
  readonly mark: string
  /** Waits for the exit, within the limit, and until no process of the run is left. */
  ended(): Promise<CliResult>
}

function start(command: string, args: readonly string[], options: RunOptions): Started {
  const mark = `${process.pid}-${++runs}`
  const began = performance.now()
  const child = launch(command, args, mark, options)
  // Otherwise execa reads and drops the output.
  if (options.unread) child.stdout?.pause()
  // A test that fails before the run has exited leaves nothing running.
  onTestFinished(() => killMarked(mark))
  const what = `poolrun ${args.filter((arg) => arg !== bin).join(' ')}`

  async function ended(): Promise<CliResult> {
    const limit = options.timeoutMs ?? LIMIT_MS
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, limit, 'late')
    })
    const result = await Promise.race([child, late])
    clearTimeout(timer)
    if (result === 'late') {
      const left = listMarked(mark)
      killMarked(mark)
      const { stdout, stderr } = await child
      throw new Error(
        `${what}: has not exited after ${limit} ms; still running:\n${left.join('\n')}\nstdout: ${stdout}\nstderr: ${stderr}`,
      )
    }
    const durationMs = performance.now() - began
    await waitUntilNoneLeft(mark, what)
    const { stdout, stderr, exitCode, signal } = result
    return { stdout: stdout ?? '', stderr, exitCode, signal, durationMs }
  }

  return { child, mark, ended }
}

/** Starts the command line and leaves its streams to the test. */
export function startCli(args: readonly string[], options: Omit<RunOptions, 'input'> = {}): Started {
  return start(process.execPath, [bin, ...args], options)
}

function feed({ child, ended }: Started, input: RunOptions['input']): Promise<CliResult> {
  // A run that exits before it has read everything closes the pipe. Its exit code counts, not this stream.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return ended()
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  return feed(startCli(args, options), options.input)
}

/** For what is the same with workers: items run in poolrun's own process, unless the arguments ask for workers. */
export const inParent = { env: { POOLRUN_PROCESSES: '0' } } as const

export function runInParent(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  return runCli(args, { ...options, env: { ...inParent.env, ...options.env } })
}

/** Starts a bash script in which `poolrun` is the command under test. */
export function startShell(script: string, options: Omit<RunOptions, 'input'> = {}): Started {
  const prelude = 'poolrun() { "$NODE" "$POOLRUN_JS" "$@"; }\n'
  const env = { ...options.env, NODE: process.execPath, POOLRUN_JS: bin }
  // With a socket as stdin, bash takes itself for started by rshd and would read ~/.bashrc.
  return start('bash', ['--norc', '-c', prelude + script], { ...options, env })
}

export function runShell(script: string, options: RunOptions = {}): Promise<CliResult> {
  return feed(startShell(script, options), options.input)
}

export interface Watched extends Started {
  /** Resolves when stderr has had a match. */
  printed(pattern: RegExp): Promise<void>
}

/** A run whose stderr the test reads along; its items are arguments or written to its stdin by the test. */
export function watchCli(args: readonly string[], options?: Parameters<typeof startCli>[1]): Watched {
  const run = startCli(args, options)
  let text = ''
  run.child.stdin.on('error', () => {})
  run.child.stderr.on('data', (data: Buffer | string) => {
    text += data
  })
  const printed = (pattern: RegExp) =>
    eventually(`${pattern} on stderr`, () => (pattern.test(text) ? true : undefined)).then(() => {})
  return { ...run, printed }
}
