// docs/cli.md: the whole command line as one page, from the same tables as `--help`, so that they cannot drift apart.
// Pure; `npm run docs` writes it, a test sees that it is fresh.
import { COMMAND_NAMES, COMMANDS } from './commands.js'
import { envName, longFlag, OPTION_ENTRIES, type OptionKey, type OptionSpec } from './options.js'

const GROUPS: readonly OptionSpec['group'][] = ['Input', 'Workers', 'Failures', 'Results', 'Console']

export function reference(): string {
  return [
    HEAD,
    ...COMMAND_NAMES.map((name) => {
      const { description, examples } = COMMANDS[name]
      return `### ${name}\n\n${description}\n\n${block(examples)}`
    }),
    OTHER_COMMANDS,
    '## Options\n\n' +
      'Every option can be given in the environment; a flag wins. Durations are `500ms`, `2s`, `1.5m`, `1h`, a bare ' +
      'number being seconds; sizes `64kb`, `512mb`, `2gb`, a bare number being bytes.',
    ...GROUPS.map((group) => `### ${group}\n\n${table(group)}`),
    TAIL,
  ].join('\n\n')
}

function block(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n')
}

function table(group: OptionSpec['group']): string {
  const rows = OPTION_ENTRIES.filter(([, spec]) => spec.group === group).map(([key, spec]) => row(key, spec))
  return ['| option | meaning | default | environment |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function row(key: OptionKey, spec: OptionSpec): string {
  const long = longFlag(key)
  const value =
    spec.value === undefined
      ? ''
      : spec.bare === undefined
        ? ` ${spec.value}`
        : `[=${spec.value.slice(1, -1)}]`
  const flags = [
    ...(spec.short === undefined ? [] : [`-${spec.short}`]),
    `${long}${value}`,
    ...(spec.negatable ? [long.replace('--', '--no-')] : []),
    ...(spec.alias === undefined ? [] : [spec.alias.flag]),
  ]
  const only = spec.commands === undefined ? '' : ` (${spec.commands.join(', ')} only)`
  const again = spec.repeatable ? '; may be given many times' : ''
  const fallback = spec.defaultHelp ?? (spec.value === undefined ? 'off' : (spec.default ?? '–'))
  const cells = [
    flags.map((flag) => `\`${flag}\``).join(', '),
    `${spec.help}${again}${only}`,
    fallback,
    `\`${envName(key)}\``,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

const HEAD = `# poolrun: the command line

*This page is made from the same tables as \`--help\`: \`npm run docs\`.*

## Synopsis

\`\`\`
poolrun <command> <job> [items…] [options]
poolrun init [folder]
poolrun completion bash|zsh|fish
poolrun help [command]
\`\`\`

\`<job>\` is \`path.ts\` (its default export) or \`path.ts#name\`. It may be TypeScript (\`.ts .tsx .mts .cts\`) or JavaScript
(\`.js .mjs .cjs\`). Items on the command line are JSON where they parse, else strings; items that begin with \`-\` go after
\`--\`. Without any, items come from \`--input\`, \`--glob\` or stdin.

## Commands`

const OTHER_COMMANDS = `### init

Writes \`job.ts\` and \`items.ndjson\` into the folder (here by default), with comments, and says the next command. A file that
is there already is left as it is: exit 2.

### completion

Prints a completion script. \`eval "$(poolrun completion bash)"\`; for zsh
\`poolrun completion zsh > "\${fpath[1]}/_poolrun"\`; for fish \`poolrun completion fish | source\`.`

const TAIL = `## Input

| format | items | told by |
| --- | --- | --- |
| \`ndjson\` | one JSON text a line; blank lines are skipped | \`.ndjson\`, \`.jsonl\`, or the first byte |
| \`json\` | the elements of one array | \`.json\`, or a first byte \`[\` |
| \`lines\` | each line a string; empty lines are skipped | \`.txt\` |
| \`csv\`, \`tsv\` | each record an object of strings, named by the header row | \`.csv\`, \`.tsv\` |
| \`nul\` | strings ended by NUL | \`-0\` |

All text is UTF-8; a byte order mark is dropped, lines end with LF or CRLF, the last line end may be missing. \`.gz\` and
\`.br\` are unpacked, \`.zst\` where Node can (22.15, 23.8 and newer), and the name inside tells the format: \`data.csv.gz\`. What is wrong with an input is told as
\`file:line:column\` with the item's index. To \`collect\` a bad line of NDJSON or CSV is one failed item; an input that is torn
at its end is exit 4 to every command, after all good items.

\`--only 0,5-9,20-\` runs the items with these indexes, which they keep; what lies beyond the end is ignored.

A job may export \`input\`, a Standard Schema (zod, valibot, arktype): each item must fit it, and its output is what the task
receives. For \`starmap\` the schema is of the list of arguments, for \`apply\` of all of them.

## Output

stdout carries results and nothing else; everything else goes to stderr. \`undefined\` is written as \`null\`.
\`--output\` writes a file beside its target and renames it when the exit code is 0 or 3; in every other case the target stays
as it was. \`--envelope\` makes each line \`{"index","ok","value","attempts","ms"}\`, or with \`"error"\` for what failed.
\`--errors\` has a line for each failed item, in the order in which they failed: \`{"index","item","kind","attempts","error"}\`.
To run just those again:

\`\`\`sh
poolrun collect job.ts -i items.ndjson --errors failed.ndjson > done.ndjson
jq -c .item failed.ndjson | poolrun collect job.ts --errors still-failed.ndjson >> done.ndjson
\`\`\`

\`--report json=…\`, \`junit=…\`, \`html=…\` and \`trace=…\` are written however the run ended; [report.md](report.md) describes the
JSON.

## Signals

| signal | what happens |
| --- | --- |
| SIGINT, SIGTERM, SIGHUP | no new items; running ones have 5 seconds; a second signal kills everything at once. Then the summary and the reports, and the signal is raised again: the shell sees 130, 143 or 129 |
| SIGTSTP, SIGCONT | workers and their timeouts stand still, and go on |
| SIGUSR2 | says on stderr what each worker is doing |

## Exit codes

| code | when |
| ---: | --- |
| 0 | all went well; also for empty input |
| 1 | \`map\`, \`starmap\`, \`apply\`: an item failed; \`imap\`: a failed item was reached; a callback threw |
| 2 | usage: an unknown flag or command, a bad value, no input |
| 3 | \`collect\`: more items failed than \`--allow-failures\` |
| 4 | input: missing, malformed, torn, not UTF-8; a pattern that matches nothing |
| 5 | the job: not found, does not compile or load, has no such export |
| 6 | the initializer failed, or was not ready in time |
| 7 | poolrun's own trouble: nothing can be started, output or report cannot be written, too many workers lost |
| 124 | \`--deadline\` |
| 141 | the reader of stdout went away |

## CI

With \`CI\` set, progress is a plain line now and then and there is no live display. On GitHub Actions failures become
annotations at their line of the source (nine, and one that counts the rest) and a step summary; commands of the runner are
switched off while jobs run, so that nothing they print, throw or return is obeyed. On GitLab failures stand in a section
that folds. \`--ci none\` leaves all that out. Colours follow \`NO_COLOR\`, \`FORCE_COLOR\` and \`--color\`.

## Files

Compiled jobs are kept in the user's cache folder (\`$XDG_CACHE_HOME/poolrun\`, \`~/.cache/poolrun\`), by content; it may be
deleted at any time.
`
