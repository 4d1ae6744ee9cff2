// The options, one entry each: parsing, environment, `--help` and the documentation all read this table.
// An option that is not in it does not exist. Knows nothing of argv.
import type { CommandName } from '../plan.js'
import {
  assignments,
  duration,
  flag,
  jsonArray,
  type Kind,
  listOf,
  nonEmpty,
  oneOf,
  orWord,
  pause,
  ranges,
  share,
  size,
  wholeNumber,
  words,
} from './kinds.js'

export interface OptionSpec<T = unknown> {
  readonly group: 'Input' | 'Workers' | 'Failures' | 'Results' | 'Console'
  readonly short?: string
  readonly kind: Kind<T>
  /** What stands for the value in help; an option without it is a switch. */
  readonly value?: string
  /** Makes the value optional, and then it can only follow `=`; this is what the bare flag means. */
  readonly bare?: string
  /** A second flag that is short for one value. */
  readonly alias?: { readonly flag: string; readonly means: string }
  readonly negatable?: true
  /** May be given many times; its environment form is a comma-separated list. */
  readonly repeatable?: true
  /** Giving it twice is an error; everywhere else the last one wins. */
  readonly once?: true
  /** The commands for which it makes sense; all where absent. */
  readonly commands?: readonly CommandName[]
  /** As one would type it. */
  readonly default?: string
  /** In place of `default` in help. */
  readonly defaultHelp?: string
  readonly help: string
}

export const OPTIONS = {
  input: {
    group: 'Input',
    short: 'i',
    value: '<file|->',
    kind: nonEmpty('a file, or - for stdin'),
    once: true,
    defaultHelp: 'stdin unless it is a terminal',
    help: 'where items come from; - is stdin',
  },
  inputFormat: {
    group: 'Input',
    value: '<format>',
    kind: oneOf('json', 'ndjson', 'lines', 'csv', 'tsv', 'nul'),
    alias: { flag: '-0', means: 'nul' },
    defaultHelp: 'by extension, else by the first byte',
    help: 'json (one array), ndjson, lines, csv, tsv or nul; -0 is nul; .gz, .br and .zst are unpacked',
  },
  glob: {
    group: 'Input',
    value: '<pattern>',
    kind: words('a pattern such as "logs/**/*.txt"'),
    repeatable: true,
    help: 'items are the paths that match, sorted',
  },
  only: {
    group: 'Input',
    value: '<ranges>',
    kind: ranges,
    defaultHelp: 'all',
    help: 'run only the items with these indexes, such as 0,5-9,20-',
  },
  processes: {
    group: 'Workers',
    short: 'j',
    value: '<n|n%|auto>',
    kind: orWord(share({ least: 1 }), 'auto'),
    default: 'auto',
    help: 'worker processes; % and auto are of the processors',
  },
  chunkSize: {
    group: 'Workers',
    value: '<n|auto>',
    kind: orWord(wholeNumber(1), 'auto'),
    default: 'auto',
    help: 'items per message; auto adapts to their cost',
  },
  bufferSize: {
    group: 'Workers',
    value: '<n>',
    kind: wholeNumber(1),
    defaultHelp: 'bounded',
    help: 'most items taken from the input and not yet written',
  },
  initArgs: {
    group: 'Workers',
    value: '<json>',
    kind: jsonArray,
    default: '[]',
    help: "arguments of the job's initializer, a JSON array",
  },
  initTimeout: {
    group: 'Workers',
    value: '<duration>',
    kind: duration,
    default: '60s',
    help: 'a worker must be ready by then',
  },
  concurrency: {
    group: 'Workers',
    value: '<n>',
    kind: wholeNumber(1),
    default: '1',
    help: 'items in flight inside one worker, for jobs that wait a lot',
  },
  maxTasksPerChild: {
    group: 'Workers',
    value: '<n>',
    kind: wholeNumber(1),
    help: 'replace a worker after n items',
  },
  maxMemory: {
    group: 'Workers',
    value: '<size>',
    kind: size,
    help: 'of one worker: more fails its item (oom), or has it replaced between items',
  },
  maxWorkerRestarts: {
    group: 'Workers',
    value: '<n>',
    kind: wholeNumber(0),
    defaultHelp: '4 × processes, at least 16',
    help: 'crashed workers to replace before giving up',
  },
  timeout: {
    group: 'Failures',
    value: '<duration>',
    kind: duration,
    help: 'of one attempt at an item, from the moment it begins',
  },
  killAfter: {
    group: 'Failures',
    value: '<duration>',
    kind: duration,
    default: '2s',
    help: 'from the polite stop of a worker to SIGKILL',
  },
  deadline: {
    group: 'Failures',
    value: '<duration>',
    kind: duration,
    help: 'of the whole run; exit 124',
  },
  retries: {
    group: 'Failures',
    value: '<n>',
    kind: wholeNumber(0),
    default: '0',
    help: 'extra attempts at a failed item',
  },
  retryDelay: {
    group: 'Failures',
    value: '<duration>',
    kind: pause,
    default: '0',
    help: 'pause before the first of them; doubles each time, with jitter',
  },
  retryOn: {
    group: 'Failures',
    value: '<kinds>',
    kind: listOf('error', 'crash', 'timeout', 'oom', 'input', 'validation', 'encoding'),
    default: 'error,crash,timeout,oom',
    help: 'kinds of failure to try again, of these and input, validation, encoding',
  },
  maxFailures: {
    group: 'Failures',
    value: '<n|n%>',
    kind: share({ least: 1, most: 100 }),
    commands: ['collect'],
    help: 'stop when this many items have failed',
  },
  allowFailures: {
    group: 'Failures',
    value: '<n|n%>',
    kind: orWord(share({ least: 0, most: 100 }), 'any'),
    bare: 'any',
    commands: ['collect'],
    default: '0',
    help: 'exit 0 when no more than this failed; any number without a value',
  },
  callbacks: {
    group: 'Results',
    value: '<module>',
    kind: nonEmpty('a module'),
    help: 'module whose callback and errorCallback hear of every item',
  },
  format: {
    group: 'Results',
    value: '<format>',
    kind: oneOf('ndjson', 'json', 'raw'),
    default: 'ndjson',
    help: 'ndjson (one a line), json (one array) or raw (strings unquoted)',
  },
  output: {
    group: 'Results',
    short: 'o',
    value: '<file|->',
    kind: nonEmpty('a file, or - for stdout'),
    once: true,
    defaultHelp: 'stdout',
    help: 'where results go; a file is replaced when the exit code is 0 or 3, else left as it was',
  },
  envelope: {
    group: 'Results',
    kind: flag,
    default: '0',
    help: 'lines are {"index","ok","value"|"error","attempts","ms"}, failures of collect included',
  },
  errors: {
    group: 'Results',
    value: '<file>',
    kind: nonEmpty('a file'),
    once: true,
    help: 'a line of JSON a failed item: {"index","item","kind","attempts","error"}',
  },
  unordered: {
    group: 'Results',
    kind: flag,
    default: '0',
    commands: ['imap', 'imap-unordered', 'collect'],
    help: 'write in order of completion',
  },
  progress: {
    group: 'Console',
    value: '<mode>',
    kind: oneOf('auto', 'bar', 'plain', 'none'),
    default: 'auto',
    defaultHelp: 'auto, a bar on a terminal and plain in CI',
    help: 'bar (live, on stderr), plain (a line now and then) or none',
  },
  report: {
    group: 'Results',
    value: '<kind=file>',
    kind: assignments('json', 'junit', 'html', 'trace'),
    repeatable: true,
    help: 'write a report: json, junit, html or trace (for Perfetto); also of a run that was ended',
  },
  dryRun: {
    group: 'Console',
    short: 'n',
    kind: flag,
    default: '0',
    help: 'load the job, count the items, say what would run, and run nothing',
  },
  ci: {
    group: 'Console',
    value: '<system>',
    kind: oneOf('auto', 'github', 'gitlab', 'none'),
    default: 'auto',
    help: 'annotations, step summary and folding for github or gitlab',
  },
  jobOutput: {
    group: 'Console',
    value: '<mode>',
    kind: oneOf('lines', 'group', 'failed', 'none'),
    defaultHelp: 'lines',
    help: 'what jobs print: as lines, grouped by item, of failed items, or not at all',
  },
  tag: { group: 'Console', kind: flag, default: '0', help: 'prefix those lines with item and worker' },
  fullStack: {
    group: 'Console',
    kind: flag,
    default: '0',
    help: "keep poolrun's and Node's own frames in stacks",
  },
  color: {
    group: 'Console',
    kind: flag,
    negatable: true,
    defaultHelp: 'on a terminal',
    help: 'colour, or none',
  },
  quiet: { group: 'Console', short: 'q', kind: flag, default: '0', help: 'errors and the verdict only' },
  verbose: { group: 'Console', short: 'v', kind: flag, default: '0', help: 'a line per item' },
  debug: { group: 'Console', kind: flag, default: '0', help: 'what becomes of each worker' },
} as const satisfies Record<string, OptionSpec>

export type OptionKey = keyof typeof OPTIONS

type ValueOf<S> = S extends { readonly kind: Kind<infer T> }
  ? S extends { readonly default: string }
    ? T
    : T | undefined
  : never

/** Every option's value: given, else its default. */
export type Settings = { readonly [K in OptionKey]: ValueOf<(typeof OPTIONS)[K]> }

export const OPTION_ENTRIES = Object.entries(OPTIONS) as readonly (readonly [OptionKey, OptionSpec])[]

function wordsOf(key: OptionKey, separator: string): string {
  return key.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`)
}

export function longFlag(key: OptionKey): string {
  return `--${wordsOf(key, '-')}`
}

export function envName(key: OptionKey): string {
  return `POOLRUN_${wordsOf(key, '_').toUpperCase()}`
}

/** As `--help` writes it: `-j, --processes <n|n%|auto>`, long flags under each other. */
export function optionTerm(key: OptionKey, spec: OptionSpec): string {
  const flags = `${spec.short === undefined ? '   ' : `-${spec.short},`} ${longFlag(key)}`
  if (spec.negatable) return `${flags}, --no-${wordsOf(key, '-')}`
  if (spec.bare !== undefined) return `${flags}[=${spec.value?.slice(1, -1)}]`
  return spec.value === undefined ? flags : `${flags} ${spec.value}`
}

export function optionHelp(spec: OptionSpec): string {
  const fallback = spec.defaultHelp ?? (spec.value === undefined ? undefined : spec.default)
  return fallback === undefined ? spec.help : `${spec.help} (default: ${fallback})`
}
