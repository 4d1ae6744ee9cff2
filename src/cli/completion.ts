// `poolrun completion`: completion scripts, generated from the tables of commands and options. Everything that is not in
// them completes as a file name.
import { COMMAND_NAMES, COMMANDS, OTHER_COMMANDS, SHELLS, type Shell } from './commands.js'
import { longFlag, OPTION_ENTRIES, type OptionKey, type OptionSpec } from './options.js'

export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bash()
    case 'zsh':
      return zsh()
    case 'fish':
      return fish()
    default:
      return shell satisfies never
  }
}

const SUBCOMMANDS: readonly (readonly [name: string, summary: string])[] = [
  ...COMMAND_NAMES.map((name) => [name, COMMANDS[name].summary] as const),
  ...Object.entries(OTHER_COMMANDS),
  ['help', 'print help'],
]
const SUBCOMMAND_NAMES = SUBCOMMANDS.map(([name]) => name).join(' ')

/** The values of an option that has a fixed set of them. */
function choicesOf({ type }: OptionSpec): readonly string[] {
  return type.accepts.every((word) => /^[a-z-]+$/.test(word)) ? type.accepts : []
}

function flagsOf(key: OptionKey, spec: OptionSpec): string[] {
  const long = longFlag(key)
  const no = spec.negatable ? [long.replace('--', '--no-')] : []
  return [long, ...no, ...(spec.short === undefined ? [] : [`-${spec.short}`])]
}

function bash(): string {
  const values = OPTION_ENTRIES.flatMap(([key, spec]) => {
    const choices = choicesOf(spec)
    if (spec.value === undefined) return []
    const flags = flagsOf(key, spec).join('|')
    const reply =
      choices.length > 0
        ? `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word"))`
        : 'compopt -o default'
    return `    ${flags}) ${reply}; return ;;`
  })
  const flags = OPTION_ENTRIES.flatMap(([key, spec]) => flagsOf(key, spec)).join(' ')
  return `# poolrun completion for bash: eval "$(poolrun completion bash)"
_poolrun() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${SUBCOMMAND_NAMES} --help --version' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
    completion) COMPREPLY=($(compgen -W '${SHELLS.join(' ')}' -- "$word")); return ;;
    help) COMPREPLY=($(compgen -W '${COMMAND_NAMES.join(' ')}' -- "$word")); return ;;
  esac
  case $before in
${values.join('\n')}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W '${flags} --help' -- "$word")) ;;
    *) compopt -o default ;;
  esac
}
complete -F _poolrun poolrun
`
}

function zsh(): string {
  const options = OPTION_ENTRIES.flatMap(([key, spec]) =>
    flagsOf(key, spec).map((flag) => {
      const choices = choicesOf(spec)
      const value =
        spec.value === undefined ? '' : choices.length > 0 ? `:value:(${choices.join(' ')})` : ':value:_files'
      return `    '${spec.repeatable ? '*' : ''}${flag}[${zshText(spec.help)}]${value}'`
    }),
  )
  const commands = SUBCOMMANDS.map(([name, summary]) => `    '${name}:${zshText(summary)}'`)
  return `#compdef poolrun
# poolrun completion for zsh: poolrun completion zsh > "\${fpath[1]}/_poolrun"
_poolrun() {
  local -a commands options
  commands=(
${commands.join('\n')}
  )
  options=(
${options.join('\n')}
    '--help[print help]'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
  elif [[ $words[2] == completion ]]; then
    _values shell ${SHELLS.join(' ')}
  else
    shift words
    (( CURRENT-- ))
    _arguments -s $options '*:file:_files'
  fi
}
compdef _poolrun poolrun
`
}

function zshText(text: string): string {
  return text.replaceAll("'", '’').replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', ' -')
}

function fish(): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const commands = SUBCOMMANDS.map(
    ([name, summary]) => `complete -c poolrun -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
  )
  const options = OPTION_ENTRIES.map(([key, spec]) => {
    const choices = choicesOf(spec)
    const short = spec.short === undefined ? '' : ` -s ${spec.short}`
    const value =
      spec.value === undefined ? '' : choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -r'
    const long = longFlag(key).slice(2)
    return `complete -c poolrun -n 'not __fish_use_subcommand' -l ${long}${short}${value} -d ${quote(spec.help)}`
  })
  return `# poolrun completion for fish: poolrun completion fish | source
${commands.join('\n')}
complete -c poolrun -n '__fish_seen_subcommand_from completion' -f -a '${SHELLS.join(' ')}'
${options.join('\n')}
`
}
