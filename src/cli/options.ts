// The table of options, one entry each. Parsing, environment variables, `--help`, completion and docs/cli.md all read it:
// an option that is not in it does not exist.
import {
  BUFFER_ITEMS,
  CONCURRENCY,
  FAILURE_KINDS,
  GRACE_MS,
  INIT_TIMEOUT_MS,
  KILL_AFTER_MS,
  RETRIES,
  RETRY_DELAY_MS,
  RETRY_ON,
} from '../defaults.js'
import type { CommandName } from '../plan.js'
import { countText, durationText, RESTART_LIMIT_TEXT } from './default-text.js'
import {
  delimiter,
  duration,
  durationOrZero,
  expression,
  failureLimit,
  files,
  flag,
  indexRanges,
  integer,
  jsonArray,
  jsonOrText,
  jsonPointer,
  kindsAndFiles,
  listOf,
  namedValues,
  nodeOptions,
  nonEmpty,
  type OptionType,
  oneOf,
  orKeyword,
  patterns,
  processCount,
  rate,
  resumeMode,
  shard,
  size,
  template,
} from './option-types.js'

export const OPTION_GROUPS = [
  'Input',
  'Commands',
  'Workers',
  'Failures',
  'Results',
  'Journal',
  'Console',
] as const

export interface OptionSpec<T = unknown> {
  readonly group: (typeof OPTION_GROUPS)[number]
  readonly short?: string
  readonly type: OptionType<T>
  /** The placeholder for the value in `--help`; an option without one is a switch. */
  readonly value?: string
  /** Makes the value optional, so that it can only follow `=`. This is the value of the bare flag. */
  readonly bare?: string
  /** A second flag that stands for one particular value. */
  readonly alias?: { readonly flag: string; readonly value: string }
  readonly negatable?: true
  /** May be given several times; its environment variable holds a comma-separated list. */
  readonly repeatable?: true
  /** Ends each value of a repeatable flag, where a comma may be part of a value. */
  readonly terminator?: string
  /** Of a repeatable option whose values may contain commas: what separates them in its environment variable. */
  readonly separator?: RegExp
  /** It has no environment variable: what runs is on the command line. */
  readonly flagOnly?: true
  /** Giving it twice is an error. Of other options, the last one wins. */
  readonly once?: true
  /** The commands that accept it; all if absent. */
  readonly commands?: readonly CommandName[]
  /** As a user would type it. */
  readonly default?: string
  /** Shown in help instead of `default`. */
  readonly defaultHelp?: string
  /** Makes sense without the lines around it. */
  readonly help: string
}

const WITH_COMMANDS = ['map', 'apply', 'imap', 'imap-unordered', 'collect'] as const

/** A comma with the next name after it: values may contain commas, too. */
const BEFORE_NEXT_NAME = /,(?=[\w.-]+=)/

export const OPTIONS = {
  eval: {
    group: 'Input',
    short: 'e',
    value: '<expression>',
    type: expression,
    once: true,
    flagOnly: true,
    help: 'run the value of this TypeScript expression instead of a job module; every argument is an item',
  },
  input: {
    group: 'Input',
    short: 'i',
    value: '<file|->',
    type: nonEmpty('a file, or - for stdin'),
    once: true,
    defaultHelp: 'stdin unless it is a terminal',
    help: 'read items from this file, decompressing .gz, .br and .zst; - is stdin',
  },
  inputFormat: {
    group: 'Input',
    value: '<format>',
    type: oneOf('json', 'ndjson', 'lines', 'csv', 'tsv', 'nul'),
    alias: { flag: '-0', value: 'nul' },
    defaultHelp: 'by file extension, else by the first byte',
    help: 'input format: json (one array), ndjson, lines, csv, tsv or nul; -0 is short for nul',
  },
  delimiter: {
    group: 'Input',
    value: '<char>',
    type: delimiter,
    defaultHelp: ',',
    help: 'what separates the fields of csv, in input and output',
  },
  glob: {
    group: 'Input',
    value: '<pattern>',
    type: patterns,
    repeatable: true,
    terminator: '\0',
    help: 'use the paths that match this pattern as items, in sorted order; ranges such as {1..12} are expanded as in bash',
  },
  strings: {
    group: 'Input',
    type: flag,
    default: '0',
    help: 'take items on the command line as strings, even if they are JSON',
  },
  only: {
    group: 'Input',
    value: '<ranges>',
    type: indexRanges,
    defaultHelp: 'all',
    help: 'run only the items with these indexes, such as 0,5-9,20-',
  },
  shard: {
    group: 'Input',
    value: '<m/n|auto>',
    type: shard,
    commands: ['map', 'starmap', 'imap', 'imap-unordered', 'collect'],
    help: 'run every n-th item, beginning with the m-th; auto asks the CI system or cluster, auto/n one that does not say how many there are',
  },
  batch: {
    group: 'Input',
    value: '<n>',
    type: integer(1),
    commands: ['map', 'imap', 'imap-unordered', 'collect'],
    help: 'make each item an array of up to n consecutive items of the input; indexes, retries and --errors refer to these arrays',
  },
  exec: {
    group: 'Commands',
    value: '<template>',
    type: template,
    once: true,
    flagOnly: true,
    commands: WITH_COMMANDS,
    help: 'run this shell command for every item instead of a job module: {} is the item, {.} without extension, {/} its name, {//} its folder, {/.} its name without extension, {#} its index, {%} the slot, {item.name} a field; without any of them the item is the last argument; every argument of poolrun is an item',
  },
  shell: {
    group: 'Commands',
    value: '<path|none>',
    type: nonEmpty('the path of a shell, or none'),
    default: '/bin/sh',
    commands: WITH_COMMANDS,
    help: 'shell that runs the commands of --exec; bash and zsh get -o pipefail; none splits the template into words and starts the program directly',
  },
  execStdin: {
    group: 'Commands',
    type: flag,
    default: '0',
    commands: WITH_COMMANDS,
    help: 'give each command its item on stdin: a string as it is, anything else as one line of JSON',
  },
  execOutput: {
    group: 'Commands',
    value: '<form>',
    type: oneOf('text', 'json', 'lines', 'none'),
    default: 'text',
    commands: WITH_COMMANDS,
    help: 'what the stdout of a command becomes: text (one string, without its last line end), json (one value), lines (a result per line) or none (null)',
  },
  maxOutput: {
    group: 'Commands',
    value: '<size>',
    type: size,
    default: '64mb',
    commands: WITH_COMMANDS,
    help: 'a command that prints more to stdout fails; does not apply to --results',
  },
  results: {
    group: 'Commands',
    value: '<folder>',
    type: nonEmpty('a folder'),
    commands: WITH_COMMANDS,
    help: 'write stdout and stderr of each command to <index>.out and <index>.err in this folder; the result is {"out","err","exitCode"}',
  },
  processes: {
    group: 'Workers',
    short: 'j',
    value: '<n|n%|auto>',
    type: orKeyword(processCount, 'auto'),
    default: 'auto',
    defaultHelp: 'auto, one per processor',
    help: "number of worker processes (with --exec, of commands that run at the same time), or a percentage of the processors that poolrun may use (by affinity and CPU quota); 0 runs items one by one in poolrun's own process, for a debugger",
  },
  chunkSize: {
    group: 'Workers',
    value: '<n|auto>',
    type: orKeyword(integer(1), 'auto'),
    default: 'auto',
    help: 'items per chunk, the unit that a worker is given; auto adapts to their cost and size',
  },
  bufferSize: {
    group: 'Workers',
    value: '<n>',
    type: integer(1),
    defaultHelp: `${countText(BUFFER_ITEMS)}, fewer if they are large`,
    help: 'maximum number of items read from the input but not yet written',
  },
  initArgs: {
    group: 'Workers',
    value: '<json>',
    type: jsonArray,
    default: '[]',
    help: "arguments for the job's initializer, as a JSON array",
  },
  param: {
    group: 'Workers',
    value: '<name=value>',
    type: namedValues('name=value', /./, jsonOrText),
    repeatable: true,
    separator: BEFORE_NEXT_NAME,
    help: 'a value for tasks, as context.params.name; parsed as JSON, else taken as a string',
  },
  env: {
    group: 'Workers',
    value: '<NAME=value>',
    type: namedValues('NAME=value', /^[^\0]+$/, (text) => text),
    repeatable: true,
    separator: BEFORE_NEXT_NAME,
    help: "set a variable in the environment of workers; overrides --env-file and poolrun's own environment",
  },
  envFile: {
    group: 'Workers',
    value: '<file>',
    type: files,
    repeatable: true,
    separator: /,/,
    help: "read variables for workers from a dotenv file; overrides poolrun's own environment",
  },
  nodeOptions: {
    group: 'Workers',
    value: '<text>',
    type: nodeOptions,
    help: 'Node options for workers, such as "--expose-gc"',
  },
  initTimeout: {
    group: 'Workers',
    value: '<duration>',
    type: duration,
    default: durationText(INIT_TIMEOUT_MS),
    help: 'time limit for a worker to load the job and run its initializer',
  },
  concurrency: {
    group: 'Workers',
    value: '<n>',
    type: integer(1),
    default: String(CONCURRENCY),
    help: 'items that run at the same time in one worker, for jobs that mostly wait',
  },
  rate: {
    group: 'Workers',
    value: '<n/unit>',
    type: rate,
    help: 'begin at most this many attempts per second, minute or hour, such as 10/s, 0.5/s or 600/m, in all workers together',
  },
  maxTasksPerChild: {
    group: 'Workers',
    value: '<n>',
    type: integer(1),
    help: 'replace a worker after it has run n items',
  },
  maxMemory: {
    group: 'Workers',
    value: '<size>',
    type: size,
    help: 'memory limit per worker; above it the running item fails (oom), or an idle worker is replaced',
  },
  maxWorkerRestarts: {
    group: 'Workers',
    value: '<n>',
    type: orKeyword(integer(0), 'none'),
    defaultHelp: RESTART_LIMIT_TEXT,
    help: 'how many crashed workers to replace before the run ends with exit code 7; every 100 items without a crash give one back; none: no limit',
  },
  timeout: {
    group: 'Failures',
    value: '<duration>',
    type: duration,
    help: 'time limit per attempt at an item; time in the queue does not count',
  },
  killAfter: {
    group: 'Failures',
    value: '<duration>',
    type: duration,
    default: durationText(KILL_AFTER_MS),
    help: 'how long a worker may take to exit when asked to, before it is killed',
  },
  grace: {
    group: 'Failures',
    value: '<duration>',
    type: durationOrZero,
    default: durationText(GRACE_MS),
    help: 'how long running items may go on after the first SIGINT, SIGTERM or SIGHUP; 0 kills them immediately',
  },
  deadline: {
    group: 'Failures',
    value: '<duration>',
    type: duration,
    help: 'time limit for the whole run; exceeding it ends the run with exit code 124',
  },
  retries: {
    group: 'Failures',
    value: '<n>',
    type: integer(0),
    default: String(RETRIES),
    help: 'number of extra attempts for a failed item',
  },
  retryDelay: {
    group: 'Failures',
    value: '<duration>',
    type: durationOrZero,
    default: durationText(RETRY_DELAY_MS),
    help: 'delay before the first retry; each further delay is about twice as long',
  },
  retryOn: {
    group: 'Failures',
    value: '<kinds>',
    type: listOf(...FAILURE_KINDS),
    default: RETRY_ON.join(','),
    help: `failure kinds to retry: any of ${FAILURE_KINDS.join(', ')}`,
  },
  maxFailures: {
    group: 'Failures',
    value: '<n|n%>',
    type: failureLimit(1),
    commands: ['collect'],
    help: 'stop the run when this many items have failed',
  },
  allowFailures: {
    group: 'Failures',
    value: '<n|n%>',
    type: orKeyword(failureLimit(0), 'any'),
    bare: 'any',
    commands: ['collect'],
    default: '0',
    help: 'exit with 0 if at most this many items failed; without a value, any number may fail',
  },
  callbacks: {
    group: 'Results',
    value: '<module>',
    type: nonEmpty('a module'),
    help: 'module that exports callback (called for each success) and errorCallback (called for each failure)',
  },
  format: {
    group: 'Results',
    value: '<format>',
    type: oneOf('ndjson', 'json', 'raw', 'csv', 'tsv'),
    default: 'ndjson',
    help: 'output format: ndjson (one result per line), json (one array), raw (strings unquoted), or csv or tsv (a row per result, with the keys of the first one as header)',
  },
  output: {
    group: 'Results',
    short: 'o',
    value: '<file|->',
    type: nonEmpty('a file, or - for stdout'),
    once: true,
    defaultHelp: 'stdout',
    help: 'write results to this file; an existing file is replaced only if the exit code is 0 or 3; - is stdout',
  },
  keepPartial: {
    group: 'Results',
    type: flag,
    default: '0',
    help: 'if the --output file is not written, keep the results so far as FILE.partial',
  },
  envelope: {
    group: 'Results',
    type: flag,
    default: '0',
    help: 'wrap each result as {"index","ok","value"|"error","attempts","ms"}; with collect, failed items are written too',
  },
  errors: {
    group: 'Results',
    value: '<file>',
    type: nonEmpty('a file'),
    once: true,
    help: 'write failed items to this file, one JSON line per item: {"index","item","kind","attempts","error"}; then those that were cancelled while running',
  },
  unordered: {
    group: 'Results',
    type: flag,
    default: '0',
    commands: ['imap', 'imap-unordered', 'collect'],
    help: 'write results in order of completion',
  },
  journal: {
    group: 'Journal',
    value: '<file>',
    type: nonEmpty('a file'),
    once: true,
    help: 'note each result in this file before it is written, so that the run can be resumed',
  },
  resume: {
    group: 'Journal',
    value: '<missing>',
    bare: 'failed',
    type: resumeMode,
    default: 'off',
    help: 'go on from the journal: write all results, but run only items that have none; missing: not those that failed either',
  },
  resumeForce: {
    group: 'Journal',
    type: flag,
    default: '0',
    help: 'resume even if the job has changed since',
  },
  resumeEmit: {
    group: 'Journal',
    value: '<all|new>',
    type: oneOf('all', 'new'),
    default: 'all',
    help: 'what a resumed run writes: all results, or only the new ones',
  },
  explainResume: {
    group: 'Journal',
    type: flag,
    default: '0',
    help: 'print for each item that runs in a resumed run why it does',
  },
  key: {
    group: 'Journal',
    value: '<pointer>',
    type: jsonPointer,
    help: 'identify items in the journal by this part of them, a JSON pointer such as /id; without it, by their whole value',
  },
  fsync: {
    group: 'Journal',
    value: '<when>',
    type: oneOf('each', '1s', 'none'),
    default: '1s',
    help: 'how far the disk may be behind the journal, in case of a power cut: each, 1s or none (as the system likes)',
  },
  progress: {
    group: 'Console',
    value: '<mode>',
    type: oneOf('auto', 'bar', 'plain', 'none'),
    default: 'auto',
    defaultHelp: 'auto, which is bar on a terminal and plain in CI',
    help: 'progress on stderr: bar (live), plain (a line now and then) or none',
  },
  report: {
    group: 'Results',
    value: '<kind=file>',
    type: kindsAndFiles('json', 'junit', 'html', 'trace'),
    repeatable: true,
    help: 'write a report of this kind to a file: json, junit, html or trace (for Perfetto); also written if the run is interrupted',
  },
  dryRun: {
    group: 'Console',
    short: 'n',
    type: flag,
    default: '0',
    help: 'load the job, count the items and print what would run, without running it',
  },
  ci: {
    group: 'Console',
    value: '<system>',
    type: oneOf('auto', 'github', 'gitlab', 'none'),
    default: 'auto',
    help: 'CI system to print for: github (annotations, step summary), gitlab (folded sections) or none',
  },
  jobOutput: {
    group: 'Console',
    value: '<mode>',
    type: oneOf('lines', 'group', 'failed', 'none'),
    defaultHelp: 'lines, or none with --quiet',
    help: 'which output of jobs to show: lines (all, as it comes), group (all, by item), failed (only of failed items) or none',
  },
  tag: {
    group: 'Console',
    type: flag,
    default: '0',
    help: 'prefix lines printed by jobs with item and worker',
  },
  fullStack: {
    group: 'Console',
    type: flag,
    default: '0',
    help: "keep poolrun's and Node's own frames in stack traces",
  },
  color: {
    group: 'Console',
    type: flag,
    negatable: true,
    defaultHelp: 'on a terminal',
    help: 'turn colours on or off',
  },
  quiet: {
    group: 'Console',
    short: 'q',
    type: flag,
    default: '0',
    help: 'print only errors and the summary line',
  },
  verbose: {
    group: 'Console',
    short: 'v',
    type: flag,
    default: '0',
    help: 'print a line for every item that settles',
  },
  debug: { group: 'Console', type: flag, default: '0', help: 'log when workers start, stop or crash' },
} as const satisfies Record<string, OptionSpec>

export type OptionKey = keyof typeof OPTIONS

type ValueOf<S> = S extends { readonly type: OptionType<infer T> }
  ? S extends { readonly default: string }
    ? T
    : T | undefined
  : never

/** The value of every option: as given, else its default. */
export type OptionValues = { readonly [K in OptionKey]: ValueOf<(typeof OPTIONS)[K]> }

export const OPTION_ENTRIES = Object.entries(OPTIONS) as readonly (readonly [OptionKey, OptionSpec])[]

function separated(key: OptionKey, separator: string): string {
  return key.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`)
}

export function longFlag(key: OptionKey): string {
  return `--${separated(key, '-')}`
}

export function envName(key: OptionKey): string {
  return `POOLRUN_${separated(key, '_').toUpperCase()}`
}

/** As shown in `--help`: `-j, --processes <n|n%|auto>`. Padded so that long flags line up. */
export function optionTerm(key: OptionKey, spec: OptionSpec): string {
  const flags = `${spec.short === undefined ? '   ' : `-${spec.short},`} ${longFlag(key)}`
  if (spec.negatable) return `${flags}, --no-${separated(key, '-')}`
  if (spec.bare !== undefined) return `${flags}[=${spec.value?.slice(1, -1)}]`
  return spec.value === undefined ? flags : `${flags} ${spec.value}`
}

export function optionHelp(spec: OptionSpec): string {
  const fallback = spec.defaultHelp ?? (spec.value === undefined ? undefined : spec.default)
  return fallback === undefined ? spec.help : `${spec.help} (default: ${fallback})`
}
