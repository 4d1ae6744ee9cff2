// Parses the command line: from argv and environment to a frozen run plan or a text to print. Never exits the process.
// The only file that uses commander; the options themselves are in options.ts.
import { Argument, Command, CommanderError, type Help, Option } from 'commander'
import { UsageError } from '../errors/classes.js'
import { type CommandName, EVAL_NAME, type RunPlan } from '../plan.js'
import { COMMAND_NAMES, COMMANDS, MERGE_OPTIONS, OTHER_COMMANDS, SHELLS, type Shell } from './commands.js'
import { normalize } from './normalize.js'
import { REPEATED } from './option-types.js'
import { longFlag, OPTION_ENTRIES, OPTIONS, type OptionKey, optionHelp, optionTerm } from './options.js'
import { type Flags, mergeFlagsAndEnvironment } from './read-options.js'
import { type Environment, toRunPlan } from './run-plan.js'
import { version, versionDetails } from './version.js'

export type CommandLine =
  | { readonly kind: 'run'; readonly plan: RunPlan }
  /** Join journals. `judges`: the limit on failures is given. */
  | {
      readonly kind: 'merge'
      readonly paths: readonly string[]
      readonly plan: RunPlan
      readonly judges: boolean
    }
  /** Show a journal, as JSON or in words, or make it smaller. */
  | { readonly kind: 'journal'; readonly path: string; readonly json: boolean; readonly compact: boolean }
  /** Write a starter job into the folder. */
  | { readonly kind: 'init'; readonly folder: string }
  | { readonly kind: 'completion'; readonly shell: Shell }
  /** Print to stdout and exit with 0; the text includes its last newline. */
  | { readonly kind: 'print'; readonly text: string }

interface Invocation extends Environment {
  /** Without `node` and the script. */
  readonly argv: readonly string[]
}

const USAGE = 'poolrun <command> <job> [items…] [options]'

const NO_COMMAND = `no command given

Usage: ${USAGE}
Commands: ${[...COMMAND_NAMES, ...Object.keys(OTHER_COMMANDS)].join(', ')}
Try 'poolrun --help'.`

/** @throws UsageError */
export function parseCommandLine(invocation: Invocation): CommandLine {
  if (invocation.argv.length === 0) throw new UsageError(NO_COMMAND)
  let printed = ''
  let line: CommandLine | undefined
  const program = build(
    invocation.argv,
    (text) => {
      printed += text
    },
    (command, words, flags) => {
      const given = mergeFlagsAndEnvironment(command, flags, invocation.env)
      line = { kind: 'run', plan: toRunPlan({ command, words }, given, invocation) }
    },
  )
  const merge = program
    .command('merge')
    .usage('<journal…> [options]')
    .summary(OTHER_COMMANDS.merge)
    .description(
      'Joins the journals of all shards of one run: writes its whole output, its failures, its reports and its summary line, and ends with its exit code. Exits with 4 if a shard is missing, given twice, not complete, or one of another run.',
    )
    .argument('<journal...>', 'journals that were written with --shard and --journal')
    .action((paths: string[], flags: Record<string, string | boolean>) => {
      const given = mergeFlagsAndEnvironment('collect', asText(flags), invocation.env, MERGE_OPTIONS)
      const plan = toRunPlan({ command: 'collect', words: [EVAL_NAME, ''] }, given, invocation)
      line = { kind: 'merge', paths, plan, judges: given.allowFailures !== undefined }
    })
  if (invocation.argv.includes('merge')) addOptions(merge, 'collect', MERGE_OPTIONS)
  program
    .command('journal')
    .usage('<file> [--json] [--compact]')
    .summary(OTHER_COMMANDS.journal)
    .description(
      'Prints how many items of a journal are done, have failed and have not run, and its size. With --compact, first drops events that later ones have replaced.',
    )
    .argument('<file>', 'a journal')
    .option(
      '--json',
      'print {"done","failed","notRun","size"}; notRun is null if the input was not read to its end',
    )
    .option('--compact', 'rewrite the journal without what is superseded')
    .action((path: string, { json = false, compact = false }: { json?: boolean; compact?: boolean }) => {
      line = { kind: 'journal', path, json, compact }
    })
  program
    .command('init')
    .usage('[folder]')
    .summary(OTHER_COMMANDS.init)
    .description(
      'Writes job.ts and items.ndjson into the folder, then prints the next command to run. Never overwrites a file.',
    )
    .argument('[folder]', 'folder to write to; created if it does not exist', '.')
    .action((folder: string) => {
      line = { kind: 'init', folder }
    })
  program
    .command('completion')
    .usage('<shell>')
    .summary(OTHER_COMMANDS.completion)
    .description('Prints a completion script. For bash: eval "$(poolrun completion bash)"')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      line = { kind: 'completion', shell }
    })
  try {
    program.parse(normalize(invocation.argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw new UsageError(usageMessage(error, invocation.argv))
  }
  return line ?? { kind: 'print', text: printed }
}

function build(
  argv: readonly string[],
  print: (text: string) => void,
  onRun: (command: CommandName, words: string[], flags: Flags) => void,
): Command {
  const program = new Command('poolrun')
    .usage(USAGE.slice('poolrun '.length))
    .description(
      "Python's multiprocessing.Pool for Node: calls a function for every item, in parallel processes.",
    )
    .exitOverride()
    // Otherwise commander drops a `--` before it passes the arguments to the subcommand.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: print,
      writeErr: () => {},
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    })
    .configureHelp({ optionTerm: termOf, subcommandTerm: (command) => command.name() })
    .option('--version', 'print the version; with --verbose also what it runs on')
    .on('option:version', () => {
      print(`${version()}\n`)
      if (argv.some((arg) => arg === '-v' || arg === '--verbose')) print(`${versionDetails()}\n`)
      throw new CommanderError(0, 'commander.version', 'the version was printed')
    })
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', TOP_LEVEL_NOTES)

  for (const name of COMMAND_NAMES) {
    const { summary, description, examples } = COMMANDS[name]
    const command = program
      .command(name)
      .usage('<job> [items…] [options]')
      .summary(summary)
      .description(description)
      .addHelpOption(new Option('-h, --help', 'print this help').helpGroup('Console:'))
      // Not required here: with --eval and --exec there is none.
      .argument('[job]', 'path.ts, or path.ts#name for a named export')
      .argument('[items...]', 'JSON values or strings; if given, stdin is not read')
      .addHelpText('after', `\n${indented(examples.length > 1 ? 'Examples' : 'Example', examples)}`)
      .action((job: string | undefined, items: string[], flags: Record<string, string | boolean>) => {
        onRun(name, job === undefined ? [] : [job, ...items], asText(flags))
      })
    // Registering the options of all six commands would take half of the start-up time.
    if (argv.includes(name)) addOptions(command, name)
  }
  program.command('help [command]', { hidden: true }).action((name?: string) => {
    const topic = program.commands.find((command) => command.name() === name)
    if (name !== undefined && topic === undefined) program.parse([name], { from: 'user' })
    ;(topic ?? program).help()
  })
  return program
}

function addOptions(command: Command, name: CommandName, keys?: readonly OptionKey[]): void {
  for (const [key, spec] of OPTION_ENTRIES) {
    if (keys?.includes(key) === false) continue
    const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}${longFlag(key)}`
    const option = new Option(spec.value === undefined ? flags : `${flags} ${spec.value}`, optionHelp(spec))
      .helpGroup(`${spec.group}:`)
      // Every command accepts every option here, so that read-options can give a better message than "unknown option".
      .hideHelp(!(spec.commands?.includes(name) ?? true))
    if (spec.terminator !== undefined)
      option.argParser((value: string, before = '') => before + value + spec.terminator)
    else if (spec.repeatable) {
      const separator = spec.separator === undefined ? ',' : REPEATED
      option.argParser((value: string, before: string | undefined) =>
        before === undefined ? value : `${before}${separator}${value}`,
      )
    }
    if (spec.once) option.argParser((value: string, before: string | undefined) => once(key, value, before))
    command.addOption(option)
    if (spec.negatable) command.addOption(new Option(longFlag(key).replace('--', '--no-')).hideHelp())
  }
}

function once(key: OptionKey, value: string, before: string | undefined): string {
  if (before !== undefined) throw new UsageError(`${longFlag(key)} was given twice`)
  return value
}

/** Turns switches into the text that their environment variable would have, so that there is one way to read an option. */
function asText(flags: Record<string, string | boolean>): Flags {
  const texts = Object.entries(flags).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : value ? '1' : '0',
  ])
  return Object.fromEntries(texts) as Flags
}

/** Of commands that need one. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  completion: `<${SHELLS.join('|')}>`,
  merge: '<journal…>',
  journal: '<file>',
}

function usageMessage(error: CommanderError, argv: readonly string[]): string {
  const command = COMMAND_NAMES.find((name) => name === argv[0])
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\(Did you mean (.*)\)$/, ' (did you mean $1)')
  const help = `Try 'poolrun ${command === undefined ? '' : `${command} `}--help'.`
  switch (error.code) {
    case 'commander.missingArgument':
      return `${text}: poolrun ${argv[0]} ${ARGUMENTS[argv[0] ?? ''] ?? ''}\n${help}`
    case 'commander.unknownCommand':
      return `${text}${jobHint(argv[0] ?? '')}\n${help}`
    case 'commander.unknownOption':
      if (command === undefined && isOption(argv[0] ?? '')) {
        return `options go after the command: ${USAGE}\n${help}`
      }
      return `${text}${itemHint(text)}\n${help}`
    case 'commander.invalidArgument':
      return `unknown shell '${argv[1]}': expected ${SHELLS.join(', ')}\n${help}`
    case 'commander.optionMissingArgument':
      return `${text.replace('argument missing', 'requires a value')}\n${help}`
    default:
      return `${text}\n${help}`
  }
}

function isOption(word: string): boolean {
  const flag = word.split('=')[0]
  return OPTION_ENTRIES.some(
    ([key, spec]) => flag === longFlag(key) || (spec.short && flag?.startsWith(`-${spec.short}`)),
  )
}

function jobHint(word: string): string {
  return /\.[cm]?[jt]sx?(#|$)/.test(word) ? `; the command goes before the job: poolrun map ${word}` : ''
}

function itemHint(text: string): string {
  return text.includes('did you mean') ? '' : '; put -- before items that start with -'
}

function termOf(this: Help, option: Option): string {
  const key = option.attributeName()
  if (Object.hasOwn(OPTIONS, key)) return optionTerm(key as OptionKey, OPTIONS[key as OptionKey])
  return option.short ? option.flags : `    ${option.flags}`
}

function indented(title: string, lines: readonly string[]): string {
  return [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n')
}

const TOP_LEVEL_NOTES = `
${indented('Examples', [
  'poolrun map square.ts 1 2 3',
  'poolrun imap fetch.ts --input urls.txt > pages.ndjson',
  'cat events.ndjson | poolrun collect score.ts#score -j 50% > scores.ndjson',
  "poolrun collect --exec 'gzip -k {}' --glob '*.log'",
])}

${indented('A job is a module that exports a function', [
  'export default async function square(n: number) { return n * n }',
])}

Results go to stdout, everything else to stderr. Every option can also be set as
an environment variable: POOLRUN_CHUNK_SIZE=10 for --chunk-size 10. Flags take
precedence. 'kill -USR2 <pid>' prints what a run is doing at the moment.
'poolrun <command> --help' lists the options of a command.`
