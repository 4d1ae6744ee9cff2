// Generates docs/cli.md from the tables that `--help` uses. `npm run docs` writes the file, and a test checks that it is
// up to date.
import { COMMAND_NAMES, COMMANDS } from './commands.js'
import {
  envName,
  longFlag,
  OPTION_ENTRIES,
  OPTION_GROUPS,
  type OptionKey,
  type OptionSpec,
} from './options.js'
import { DETAILS, INTRODUCTION, OPTIONS_INTRODUCTION, OTHER_COMMANDS_TEXT } from './reference-text.js'

export function reference(): string {
  return [
    INTRODUCTION,
    ...COMMAND_NAMES.map((name) => {
      const { description, examples } = COMMANDS[name]
      return `### ${name}\n\n${withCode(description)}\n\n${codeBlock(examples)}`
    }),
    OTHER_COMMANDS_TEXT,
    OPTIONS_INTRODUCTION,
    ...OPTION_GROUPS.map((group) => `### ${group.replace(/s$/, '')} options\n\n${table(group)}`),
    DETAILS,
  ].join('\n\n')
}

/** Formats calls, flags and JSON in help texts as code. */
function withCode(text: string): string {
  return text.replace(/fn\([^)]*\)|--[a-z-]+(?: -(?![^.]))?|\{"[^}]*\}/g, '`$&`')
}

function codeBlock(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n')
}

function table(group: OptionSpec['group']): string {
  const rows = OPTION_ENTRIES.filter(([, spec]) => spec.group === group).map(([key, spec]) => row(key, spec))
  return ['| option | meaning | default | environment |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function row(key: OptionKey, spec: OptionSpec): string {
  const only = spec.commands === undefined ? '' : ` (only ${spec.commands.join(', ')})`
  const repeatable = spec.repeatable ? '; can be repeated' : ''
  const fallback = spec.defaultHelp ?? (spec.value === undefined ? 'off' : (spec.default ?? '–'))
  const cells = [
    flagsOf(key, spec)
      .map((flag) => `\`${flag}\``)
      .join(', '),
    withCode(`${spec.help}${repeatable}${only}`),
    fallback,
    spec.flagOnly ? '–' : `\`${envName(key)}\``,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function flagsOf(key: OptionKey, spec: OptionSpec): readonly string[] {
  const long = longFlag(key)
  const value = spec.value === undefined ? '' : ` ${spec.value}`
  return [
    ...(spec.short === undefined ? [] : [`-${spec.short}`]),
    spec.bare === undefined ? `${long}${value}` : `${long}[=${spec.value?.slice(1, -1)}]`,
    ...(spec.negatable ? [long.replace('--', '--no-')] : []),
    ...(spec.alias === undefined ? [] : [spec.alias.flag]),
  ]
}
