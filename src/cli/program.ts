// The command line: argv and its surroundings in, a frozen run plan or a text to print out. Does no I/O, never exits.
// The only file that knows commander; what the options are is in options.ts.
import { Argument, Command, CommanderError, type Help, Option } from 'commander'
import { UsageError } from '../errors/classes.js'
import type { CommandName, RunPlan } from '../plan.js'
import { COMMAND_NAMES, COMMANDS, SHELLS, type Shell } from './commands.js'
import { normalize } from './normalize.js'
import { longFlag, OPTION_ENTRIES, OPTIONS, type OptionKey, optionHelp, optionTerm } from './options.js'
import { type Environment, toRunPlan } from './run-plan.js'
import { gather } from './settings.js'
import { version } from './version.js'

export type CommandLine =
  | { readonly kind: 'run'; readonly plan: RunPlan }
  /** A starter job is to be written into the folder. */
  | { readonly kind: 'init'; readonly folder: string }
  | { readonly kind: 'completion'; readonly shell: Shell }
  /** For stdout, newline included; exit 0. */
  | { readonly kind: 'print'; readonly text: string }

export interface Invocation extends Environment {
  /** Without the executable and the script. */
  readonly argv: readonly string[]
}

const USAGE = 'poolrun <command> <job> [items…] [options]'

const NO_COMMAND = `no command given

Usage: ${USAGE}
Commands: ${COMMAND_NAMES.join(', ')}, init, completion
Try 'poolrun --help'.`

/** Throws `UsageError` for everything that makes it neither. */
export function parseCommandLine(invocation: Invocation): CommandLine {
  if (invocation.argv.length === 0) throw new UsageError(NO_COMMAND)
  let printed = ''
  let line: CommandLine | undefined
  const program = build(
    invocation.argv,
    (text) => {
      printed += text
    },
    (command, job, items, flags) => {
      const plan = toRunPlan({ command, job, items }, gather(command, flags, invocation.env), invocation)
      line = { kind: 'run', plan }
    },
  )
  program
    .command('init')
    .usage('[folder]')
    .summary('write a job to begin with, and data for it')
    .description(
      'Writes job.ts and items.ndjson into the folder and says the next command. Overwrites nothing.',
    )
    .argument('[folder]', 'where to; it is made if need be', '.')
    .action((folder: string) => {
      line = { kind: 'init', folder }
    })
  program
    .command('completion')
    .usage('<shell>')
    .summary('print a completion script for bash, zsh or fish')
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

type Flags = Partial<Record<OptionKey, string>>

function build(
  argv: readonly string[],
  print: (text: string) => void,
  onRun: (command: CommandName, job: string, items: string[], flags: Flags) => void,
): Command {
  const program = new Command('poolrun')
    .usage(USAGE.slice('poolrun '.length))
    .description(
      "Python's multiprocessing.Pool for Node: calls a function for every item, in child processes.",
    )
    .exitOverride()
    // Without it a `--` before the items would be lost on the way to the subcommand.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: print,
      writeErr: () => {},
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
    })
    .configureHelp({ optionTerm: termOf, subcommandTerm: (command) => command.name() })
    .option('--version', 'print the version')
    .on('option:version', () => {
      print(`${version()}\n`)
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
      .argument('<job>', 'path.ts, or path.ts#name for a named export')
      .argument('[items...]', 'JSON, else strings; stdin is then not read')
      .addHelpText('after', `\n${indented(examples.length > 1 ? 'Examples' : 'Example', examples)}`)
      .action((job: string, items: string[], flags: Record<string, string | boolean>) => {
        onRun(name, job, items, asTyped(flags))
      })
    // Six commands' worth of options would be half of the start-up time.
    if (argv.includes(name)) addOptions(command, name)
  }
  program.command('help [command]', { hidden: true }).action((name?: string) => {
    const topic = program.commands.find((command) => command.name() === name)
    if (name !== undefined && topic === undefined) program.parse([name], { from: 'user' })
    ;(topic ?? program).help()
  })
  return program
}

function addOptions(command: Command, name: CommandName): void {
  for (const [key, spec] of OPTION_ENTRIES) {
    const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}${longFlag(key)}`
    const option = new Option(spec.value === undefined ? flags : `${flags} ${spec.value}`, optionHelp(spec))
      .helpGroup(`${spec.group}:`)
      // Known everywhere, so that a wrong place gets a better answer than "unknown option".
      .hideHelp(!(spec.commands?.includes(name) ?? true))
    if (spec.repeatable)
      option.argParser((value: string, before: string | undefined) =>
        before === undefined ? value : `${before},${value}`,
      )
    if (spec.once) option.argParser((value: string, before: string | undefined) => once(key, value, before))
    command.addOption(option)
    if (spec.negatable) command.addOption(new Option(longFlag(key).replace('--', '--no-')).hideHelp())
  }
}

function once(key: OptionKey, value: string, before: string | undefined): string {
  if (before !== undefined) throw new UsageError(`${longFlag(key)} is given twice`)
  return value
}

/** Switches as their environment form, so that there is one way to read an option. */
function asTyped(flags: Record<string, string | boolean>): Flags {
  const texts = Object.entries(flags).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : value ? '1' : '0',
  ])
  return Object.fromEntries(texts) as Flags
}

function usageMessage(error: CommanderError, argv: readonly string[]): string {
  const command = COMMAND_NAMES.find((name) => name === argv[0])
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\(Did you mean (.*)\)$/, ' (did you mean $1)')
  const help = `Try 'poolrun ${command === undefined ? '' : `${command} `}--help'.`
  switch (error.code) {
    case 'commander.missingArgument':
      if (command === undefined) return `${text}: poolrun ${argv[0]} <${SHELLS.join('|')}>\n${help}`
      return `no job given: poolrun ${command} <job> [items…] [options]\n${help}`
    case 'commander.unknownCommand':
      return `${text}${jobHint(argv[0] ?? '')}\n${help}`
    case 'commander.unknownOption':
      if (command === undefined && isOption(argv[0] ?? '')) {
        return `options follow the command: ${USAGE}\n${help}`
      }
      return `${text}${itemHint(text)}\n${help}`
    case 'commander.optionMissingArgument':
      return `${text.replace('argument missing', 'lacks its value')}\n${help}`
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
  return /\.[cm]?[jt]sx?(#|$)/.test(word) ? `; a command comes before the job: poolrun map ${word}` : ''
}

function itemHint(text: string): string {
  return text.includes('did you mean') ? '' : '; items that begin with - go after --'
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
])}

${indented('A job is a module with a function', [
  'export default async function square(n: number) { return n * n }',
])}

Results go to stdout, everything else to stderr. Every option can be set in the
environment: --chunk-size 10 is POOLRUN_CHUNK_SIZE=10; a flag wins.
SIGUSR2 (kill -USR2 <pid>) has a run say what it is doing now.
'poolrun <command> --help' lists the options.`
