// The commands as `--help`, completion and docs/cli.md describe them. What they do is in src/run and src/policy.
import type { CommandName } from '../plan.js'

interface CommandSpec {
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
}

/** The commands that run a job. */
export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  map: {
    summary: 'call fn(item) for every item; all results or none',
    description:
      'Calls fn(item, context) for every item. The first failure stops the run. Results are written only if every item succeeds.',
    examples: [
      'poolrun map square.ts 1 2 3',
      'poolrun map resize.ts --input photos.ndjson -j 4 > sizes.ndjson',
    ],
  },
  starmap: {
    summary: 'like map, with each item an array of arguments: fn(...item)',
    description: 'Like map, but every item is an array of arguments: calls fn(...item).',
    examples: ["poolrun starmap pow.ts '[2, 10]' '[3, 4]'"],
  },
  apply: {
    summary: 'call fn(...items) once',
    description:
      'Calls fn(...items) once and writes its result. Without items it calls fn(); it reads stdin only with --input -.',
    examples: ['poolrun apply report.ts', 'poolrun apply pow.ts#power 2 10'],
  },
  imap: {
    summary: 'like map, but stream results in input order',
    description:
      'Calls fn(item, context) for every item and writes each result as soon as all earlier ones are written. A failed item stops the run once all results before it are written.',
    examples: ['tail -f urls.txt | poolrun imap fetch.ts --input-format lines'],
  },
  'imap-unordered': {
    summary: 'like imap, but in order of completion',
    description: 'Like imap, but writes results in order of completion. The first failure stops the run.',
    examples: ['poolrun imap-unordered fetch.ts --input urls.txt'],
  },
  collect: {
    summary: 'run every item; log and skip those that fail',
    description:
      'Calls fn(item, context) for every item. Failures are logged to stderr and skipped; all other results are written, in input order. Exits with 3 if more items failed than --allow-failures permits.',
    examples: [
      'poolrun collect fetch.ts --input urls.txt --max-failures 5%',
      'find . -name "*.png" -print0 | poolrun collect shrink.ts -0 --allow-failures',
    ],
  },
}

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[]

/** The commands that do not run a job, with their summaries. */
export const OTHER_COMMANDS = {
  merge: 'join the journals of all shards of a run into its output',
  journal: 'show what a journal holds, or make it smaller',
  init: 'write a starter job and sample data',
  completion: 'print a completion script for bash, zsh or fish',
} as const

/** What `merge` accepts besides the journals. */
export const MERGE_OPTIONS = [
  'output',
  'keepPartial',
  'format',
  'delimiter',
  'envelope',
  'errors',
  'report',
  'allowFailures',
  'ci',
  'progress',
  'color',
  'fullStack',
  'quiet',
  'verbose',
] as const

/** Shells with a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]
