// From the command, its positionals and its options to the frozen plan: the rules that concern several of them.
import { parseEnv } from 'node:util'
import { UsageError } from '../errors/classes.js'
import {
  type CommandName,
  type CommandPlan,
  EVAL_NAME,
  EXEC_NAME,
  type InputChoice,
  isTable,
  type JobReference,
  type JournalPlan,
  type RunPlan,
  type Verbosity,
} from '../plan.js'
import { longFlag, type OptionKey, type OptionValues } from './options.js'
import { type GivenOptions, quote, readOptions } from './read-options.js'
import { chooseShard } from './shard.js'

/** Everything outside argv that decides what a command line means. */
export interface Environment {
  readonly env: NodeJS.ProcessEnv
  readonly stdinIsTTY: boolean
  readonly availableParallelism: number
  /** For --env-file. Throws if the file cannot be read as UTF-8. */
  readFile(path: string): string
  /** For a job whose file name has a `#`. */
  isFile(path: string): boolean
}

interface Positionals {
  readonly command: CommandName
  /** The job, unless it is an expression, and the items. */
  readonly words: readonly string[]
}

export function toRunPlan(positionals: Positionals, given: GivenOptions, environment: Environment): RunPlan {
  const { command } = positionals
  const options = readOptions(given)
  const { job, items } = separateJob(positionals, options, environment)
  refuseWithoutProcesses(options)
  const workers = chooseWorkers(options, environment.availableParallelism)
  return freeze({
    command,
    job,
    input: chooseInput({ command, items }, given, options, environment.stdinIsTTY),
    inputFormat: options.inputFormat,
    delimiter: options.delimiter,
    only: options.only,
    shard: options.shard && chooseShard(options.shard, environment.env),
    batch: options.batch,
    exec: readCommand(command, options, given, workers.commands),
    processes: workers.processes,
    chunkSize: options.chunkSize === 'auto' ? undefined : options.chunkSize,
    bufferSize: options.bufferSize,
    ordered: command !== 'imap-unordered' && !options.unordered,
    initArgs: options.initArgs,
    params: options.param ?? {},
    workerEnv: readWorkerEnv(options, environment),
    envFiles: options.envFile ?? [],
    nodeOptions: options.nodeOptions ?? [],
    initTimeoutMs: options.initTimeout,
    concurrency: workers.concurrency,
    maxTasksPerChild: options.maxTasksPerChild,
    maxMemoryBytes: options.maxMemory,
    maxWorkerRestarts:
      options.maxWorkerRestarts === 'none' ? Number.POSITIVE_INFINITY : options.maxWorkerRestarts,
    timeoutMs: options.timeout,
    killAfterMs: options.killAfter,
    graceMs: options.grace,
    deadlineMs: options.deadline,
    retry: { retries: options.retries, delayMs: options.retryDelay, on: options.retryOn },
    rate: options.rate,
    format: options.format,
    // Opening /dev/stdout by name fails if it is a socket.
    output: ['-', '/dev/stdout'].includes(options.output ?? '-') ? undefined : options.output,
    keepPartial: options.keepPartial,
    envelope: chooseEnvelope(options),
    errors: options.errors,
    reports: options.report ?? [],
    ci: options.ci,
    dryRun: options.dryRun,
    maxFailures: options.maxFailures,
    allowFailures: options.allowFailures,
    callbacks: options.callbacks,
    journal: chooseJournal(options, given),
    key: options.key,
    fullStack: options.fullStack,
    color: options.color,
    ...chooseVerbosity(options, given),
    progress: options.progress,
    jobOutput: options.jobOutput,
    tag: options.tag,
  })
}

function separateJob(
  { command, words }: Positionals,
  { eval: expression, exec }: OptionValues,
  { isFile }: Environment,
) {
  if (expression !== undefined && exec !== undefined)
    throw new UsageError('--eval cannot be combined with --exec: a run has one job')
  if (expression !== undefined)
    return { job: { path: EVAL_NAME, exportName: 'default', expression }, items: words }
  if (exec !== undefined) return { job: { path: EXEC_NAME, exportName: 'default' }, items: words }
  const [job, ...items] = words
  if (job === undefined) {
    throw new UsageError(
      `no job given: poolrun ${command} <job> [items…] [options]\nTry 'poolrun ${command} --help'.`,
    )
  }
  return { job: isFile(job) ? { path: job, exportName: 'default' } : parseJobReference(job), items }
}

/** The last `#` separates path and export, unless the path continues after it (`C#/job.ts`). */
function parseJobReference(text: string): JobReference {
  const lastHash = text.lastIndexOf('#')
  const hasExport = lastHash >= 0 && !/[/\\]/.test(text.slice(lastHash))
  const path = hasExport ? text.slice(0, lastHash) : text
  const exportName = hasExport ? text.slice(lastHash + 1) : 'default'
  if (path === '' || exportName === '') {
    throw new UsageError(`invalid job ${quote(text)}: expected path.ts, or path.ts#name for a named export`)
  }
  return { path, exportName }
}

function chooseInput(
  { command, items }: { command: CommandName; items: readonly string[] },
  given: GivenOptions,
  options: OptionValues,
  stdinIsTTY: boolean,
): InputChoice {
  if (given.glob?.source === 'flag' || (options.glob !== undefined && items.length === 0)) {
    if (items.length > 0) throw new UsageError('--glob cannot be combined with items on the command line')
    if (given.input?.source === 'flag') throw new UsageError('--glob cannot be combined with --input')
    if (given.inputFormat?.source === 'flag')
      throw new UsageError('--input-format is for --input and stdin; the items of --glob are paths')
    return { kind: 'glob', patterns: options.glob! }
  }
  if (items.length > 0) {
    if (given.input?.source === 'flag') {
      throw new UsageError('--input cannot be combined with items on the command line')
    }
    if (given.inputFormat?.source === 'flag') {
      throw new UsageError(
        '--input-format is for --input and stdin; items on the command line are parsed as JSON, else taken as strings',
      )
    }
    return { kind: 'items', texts: items, ...(options.strings && { asStrings: true }) }
  }
  if (options.strings && given.strings?.source === 'flag') {
    throw new UsageError(
      '--strings is for items on the command line; for --input and stdin use --input-format lines',
    )
  }
  if (given.input !== undefined) {
    return given.input.text === '-' ? { kind: 'stdin' } : { kind: 'file', path: given.input.text }
  }
  if (command === 'apply') return { kind: 'items', texts: [] }
  if (stdinIsTTY) throw new UsageError('no items: pass them as arguments, with --input FILE, or on stdin')
  return { kind: 'stdin' }
}

/** Options that mean nothing without another one. */
const NEEDS_RESUME = ['resumeForce', 'resumeEmit', 'explainResume'] as const
const NEEDS_JOURNAL = ['resume', ...NEEDS_RESUME, 'key', 'fsync'] as const

function chooseJournal(options: OptionValues, given: GivenOptions): JournalPlan | undefined {
  const { journal: path, resume, resumeForce, resumeEmit, explainResume, fsync } = options
  const isFlag = (key: OptionKey) => given[key]?.source === 'flag'
  if (path === undefined) {
    const lonely = NEEDS_JOURNAL.find(isFlag)
    if (lonely !== undefined) throw new UsageError(`${longFlag(lonely)} needs --journal FILE`)
    return undefined
  }
  if (resume === 'off') {
    const lonely = NEEDS_RESUME.find(isFlag)
    if (lonely !== undefined) throw new UsageError(`${longFlag(lonely)} needs --resume`)
  }
  return {
    path,
    resume: resume === 'off' ? undefined : resume,
    force: resumeForce,
    emitsNew: resumeEmit === 'new',
    explain: explainResume,
    fsync,
  }
}

function readWorkerEnv(
  { env = {}, envFile = [] }: OptionValues,
  { readFile }: Environment,
): Readonly<Record<string, string>> {
  const fromFiles = envFile.map((path) => {
    try {
      return parseEnv(readFile(path))
    } catch (error) {
      throw new UsageError(`cannot read --env-file ${quote(path)}: ${(error as Error).message}`)
    }
  })
  // `fromEntries` and not assignments, because a name may be __proto__.
  const entries = [...fromFiles, env].flatMap((variables) => Object.entries(variables))
  return Object.fromEntries(entries) as Record<string, string>
}

function countProcesses(requested: OptionValues['processes'], available: number): number {
  if (requested === 'auto') return available
  return 'count' in requested
    ? requested.count
    : Math.max(1, Math.floor((requested.percent / 100) * available))
}

/** Commands wait for their processes: a few workers run them all. */
function chooseWorkers({ processes, concurrency, exec }: OptionValues, available: number) {
  const count = countProcesses(processes, available)
  if (exec === undefined || count === 0) return { processes: count, concurrency, commands: 1 }
  const workers = Math.min(count, available)
  return { processes: workers, concurrency: Math.ceil(count / workers), commands: count }
}

const OF_COMMANDS = ['shell', 'execStdin', 'execOutput', 'maxOutput', 'results'] as const
const OF_MODULES = ['concurrency', 'initArgs', 'param'] as const

/** @throws UsageError */
function readCommand(
  command: CommandName,
  options: OptionValues,
  given: GivenOptions,
  commands: number,
): CommandPlan | undefined {
  const isGiven = (key: keyof GivenOptions) => given[key]?.source === 'flag'
  const { exec, shell, execStdin, execOutput, maxOutput, results } = options
  if (exec === undefined) {
    const wrong = OF_COMMANDS.find(isGiven)
    if (wrong !== undefined) throw new UsageError(`${longFlag(wrong)} is for the commands of --exec`)
    return undefined
  }
  const wrong = OF_MODULES.find(isGiven)
  if (wrong === 'concurrency')
    throw new UsageError(
      '--exec cannot be combined with --concurrency: -j is the number of commands that run at the same time',
    )
  if (wrong !== undefined)
    throw new UsageError(
      `--exec cannot be combined with ${longFlag(wrong)}, which is for job modules; commands get variables with --env`,
    )
  if (results !== undefined && (execOutput === 'json' || execOutput === 'lines'))
    throw new UsageError(
      `--exec-output ${execOutput} cannot be combined with --results: there the output goes to files`,
    )
  return {
    template: exec,
    shell,
    // A batch, or the one item of apply, is a list of items.
    spread: command === 'apply' || options.batch !== undefined,
    output: execOutput,
    stdin: execStdin,
    maxOutputBytes: maxOutput,
    results,
    commands,
  }
}

function chooseVerbosity(options: OptionValues, given: GivenOptions): Pick<RunPlan, 'verbosity' | 'debug'> {
  const { quiet } = options
  const requested = (['verbose', 'debug'] as const).filter((key) => options[key])
  const conflicting = requested.find((key) => quiet && given.quiet?.source === given[key]?.source)
  if (conflicting !== undefined) throw new UsageError(`--quiet cannot be combined with --${conflicting}`)
  // Between a flag and a variable, the flag wins.
  const effective = requested.filter((key) => !quiet || given[key]?.source === 'flag')
  const verbosity: Verbosity = effective.includes('verbose')
    ? 'verbose'
    : quiet && effective.length === 0
      ? 'quiet'
      : 'normal'
  return { verbosity, debug: effective.includes('debug') }
}

/** What needs worker processes. */
function refuseWithoutProcesses({ processes, concurrency, maxMemory, nodeOptions }: OptionValues): void {
  if (processes === 'auto' || !('count' in processes) || processes.count > 0) return
  const why = 'items run one by one in the process of poolrun'
  if (concurrency > 1) throw new UsageError(`--processes 0 cannot be combined with --concurrency: ${why}`)
  if (maxMemory !== undefined)
    throw new UsageError(`--processes 0 cannot be combined with --max-memory: ${why}`)
  if (nodeOptions !== undefined) {
    throw new UsageError(
      `--processes 0 cannot be combined with --node-options: ${why}; give them to its Node: NODE_OPTIONS=…`,
    )
  }
}

function chooseEnvelope({ envelope, format }: OptionValues): boolean {
  if (envelope && (format === 'raw' || isTable(format))) {
    throw new UsageError(
      `--envelope cannot be combined with --format ${format}: an envelope is JSON, so use ndjson or json`,
    )
  }
  return envelope
}

/** Freezes the plan, its parts and their parts. */
function freeze<T>(value: T, levels = 2): T {
  if (typeof value !== 'object' || value === null) return value
  if (levels > 0) for (const inner of Object.values(value)) freeze(inner, levels - 1)
  return Object.freeze(value)
}
