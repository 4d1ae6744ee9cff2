// From the command, its words and its checked options to the frozen plan: the rules that concern several at once.
import { UsageError } from '../errors/classes.js'
import type { CommandName, InputChoice, JobReference, RunPlan, Verbosity } from '../plan.js'
import type { Settings } from './options.js'
import { type GivenOptions, quote, readSettings } from './settings.js'

/** What the command line is told of its surroundings; it looks at nothing itself. */
export interface Environment {
  readonly env: NodeJS.ProcessEnv
  readonly stdinIsTTY: boolean
  readonly availableParallelism: number
}

export interface Positionals {
  readonly command: CommandName
  readonly job: string
  readonly items: readonly string[]
}

export function toRunPlan(words: Positionals, given: GivenOptions, around: Environment): RunPlan {
  const settings = readSettings(given)
  refuseSharedFiles(settings)
  return freeze({
    command: words.command,
    job: parseJobReference(words.job),
    input: chooseInput(words, given, settings, around.stdinIsTTY),
    inputFormat: settings.inputFormat,
    only: settings.only,
    processes: countProcesses(settings.processes, around.availableParallelism),
    chunkSize: settings.chunkSize === 'auto' ? undefined : settings.chunkSize,
    bufferSize: settings.bufferSize,
    ordered: words.command !== 'imap-unordered' && !settings.unordered,
    initArgs: settings.initArgs,
    initTimeoutMs: settings.initTimeout,
    concurrency: settings.concurrency,
    maxTasksPerChild: settings.maxTasksPerChild,
    maxMemoryBytes: settings.maxMemory,
    maxWorkerRestarts: settings.maxWorkerRestarts,
    timeoutMs: settings.timeout,
    killAfterMs: settings.killAfter,
    deadlineMs: settings.deadline,
    retry: { retries: settings.retries, delayMs: settings.retryDelay, on: settings.retryOn },
    format: settings.format,
    // By its name it could not be opened where it is a socket.
    output: ['-', '/dev/stdout'].includes(settings.output ?? '-') ? undefined : settings.output,
    envelope: chooseEnvelope(settings),
    errors: settings.errors,
    reports: settings.report ?? [],
    ci: settings.ci,
    dryRun: settings.dryRun,
    maxFailures: settings.maxFailures,
    allowFailures: settings.allowFailures,
    callbacks: settings.callbacks,
    fullStack: settings.fullStack,
    color: settings.color,
    ...chooseVerbosity(settings, given),
    progress: settings.progress,
    jobOutput: settings.jobOutput,
    tag: settings.tag,
  })
}

/** The last `#` divides, unless a path goes on behind it (`C#/job.ts`). */
export function parseJobReference(text: string): JobReference {
  const at = /[/\\]/.test(text.slice(text.lastIndexOf('#'))) ? -1 : text.lastIndexOf('#')
  const path = at < 0 ? text : text.slice(0, at)
  const exportName = at < 0 ? 'default' : text.slice(at + 1)
  if (path === '' || exportName === '') {
    throw new UsageError(`invalid job ${quote(text)}: expected path.ts, or path.ts#name for a named export`)
  }
  return { path, exportName }
}

function chooseInput(
  { command, items }: Positionals,
  given: GivenOptions,
  settings: Settings,
  stdinIsTTY: boolean,
): InputChoice {
  if (given.glob?.by === 'flag' || (settings.glob !== undefined && items.length === 0)) {
    if (items.length > 0) throw new UsageError('items on the command line and --glob: give one or the other')
    if (given.input?.by === 'flag') throw new UsageError('--glob and --input: give one or the other')
    if (given.inputFormat?.by === 'flag')
      throw new UsageError('--input-format is for --input and stdin; the items of --glob are paths')
    return { kind: 'glob', patterns: settings.glob! }
  }
  if (items.length > 0) {
    if (given.input?.by === 'flag') {
      throw new UsageError('items on the command line and --input: give one or the other')
    }
    if (given.inputFormat?.by === 'flag') {
      throw new UsageError(
        '--input-format is for --input and stdin; an item on the command line is JSON, else a string',
      )
    }
    return { kind: 'items', texts: items }
  }
  if (given.input !== undefined) {
    return given.input.text === '-' ? { kind: 'stdin' } : { kind: 'file', path: given.input.text }
  }
  if (command === 'apply') return { kind: 'items', texts: [] }
  if (stdinIsTTY) throw new UsageError('no items: give items, --input FILE, or pipe them in')
  return { kind: 'stdin' }
}

function countProcesses(wish: Settings['processes'], available: number): number {
  if (wish === 'auto') return available
  return 'count' in wish ? wish.count : Math.max(1, Math.floor((wish.percent / 100) * available))
}

function chooseVerbosity(settings: Settings, given: GivenOptions): Pick<RunPlan, 'verbosity' | 'debug'> {
  const { quiet } = settings
  const louder = (['verbose', 'debug'] as const).filter((key) => settings[key])
  const rival = louder.find((key) => quiet && given.quiet?.by === given[key]?.by)
  if (rival !== undefined) throw new UsageError(`--quiet and --${rival}: give one or the other`)
  const heard = louder.filter((key) => !quiet || given[key]?.by === 'flag')
  const verbosity: Verbosity = heard.includes('verbose')
    ? 'verbose'
    : quiet && heard.length === 0
      ? 'quiet'
      : 'normal'
  return { verbosity, debug: heard.includes('debug') }
}

/** Two writers of one file would destroy each other's work, and `--errors` begins by emptying its file. */
function refuseSharedFiles({ input, output, errors, report = [] }: Settings): void {
  const files: readonly (readonly [string, string | undefined])[] = [
    ['--output', output],
    ['--errors', errors],
    ...report.map(({ kind, path }) => [`--report ${kind}`, path] as const),
  ]
  const seen = new Map<string, string>()
  if (input !== undefined && input !== '-') seen.set(input, '--input')
  for (const [name, path] of files) {
    if (path === undefined || path === '-' || path.startsWith('/dev/')) continue
    const other = seen.get(path)
    // A file may be replaced by what was made of it: by then it has been read.
    if (other !== undefined && !(other === '--input' && name === '--output'))
      throw new UsageError(`${other} and ${name} name the same file: ${quote(path)}`)
    seen.set(path, name)
  }
}

function chooseEnvelope({ envelope, format }: Settings): boolean {
  if (envelope && format === 'raw') {
    throw new UsageError('--envelope and --format raw: an envelope is JSON, so choose ndjson or json')
  }
  return envelope
}

/** The plan and what it is made of; what is in `--init-args` is the job's own. */
function freeze<T>(value: T, levels = 2): T {
  if (typeof value !== 'object' || value === null) return value
  if (levels > 0) for (const inner of Object.values(value)) freeze(inner, levels - 1)
  return Object.freeze(value)
}
