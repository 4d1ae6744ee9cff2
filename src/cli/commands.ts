// The commands as `--help` and the documentation tell of them. What they do is in src/run and src/policy.
import type { CommandName } from '../plan.js'

export interface CommandSpec {
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
}

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = {
  map: {
    summary: 'fn(item) for every item; all the results, or the first error',
    description:
      'Calls fn(item, context) for every item. The first failure stops the run; nothing is written unless every item succeeded.',
    examples: [
      'poolrun map square.ts 1 2 3',
      'poolrun map resize.ts --input photos.ndjson -j 4 > sizes.ndjson',
    ],
  },
  starmap: {
    summary: 'fn(...item), each item an array; otherwise as map',
    description: 'Calls fn(...item) for every item, each of which is an array. Otherwise as map.',
    examples: ["poolrun starmap pow.ts '[2, 10]' '[3, 4]'"],
  },
  apply: {
    summary: 'fn(...items), once',
    description:
      'Calls fn(...items) once and writes its result. Without items calls fn(); stdin is only read with --input -.',
    examples: ['poolrun apply report.ts', 'poolrun apply pow.ts#power 2 10'],
  },
  imap: {
    summary: 'as map, but results are streamed, in input order',
    description:
      'Calls fn(item, context) for every item and writes each result as soon as its turn comes. A failure stops the run when its turn comes; every earlier result has been written by then.',
    examples: ['tail -f urls.txt | poolrun imap fetch.ts --input-format lines'],
  },
  'imap-unordered': {
    summary: 'as imap, in order of completion',
    description: 'As imap, in order of completion. The first failure that settles stops the run.',
    examples: ['poolrun imap-unordered fetch.ts --input urls.txt'],
  },
  collect: {
    summary: 'every item runs; failures are logged and skipped',
    description:
      'Calls fn(item, context) for every item. Each failure is logged to stderr and the rest are written, in input order. Exits with 3 when more items failed than --allow-failures.',
    examples: [
      'poolrun collect fetch.ts --input urls.txt --max-failures 5%',
      'find . -name "*.png" -print0 | poolrun collect shrink.ts -0 --allow-failures',
    ],
  },
}

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[]

/** For which there is a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]
