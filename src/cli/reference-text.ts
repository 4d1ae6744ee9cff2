// The hand-written parts of docs/cli.md, as Markdown. They must not repeat the README.
import { BUFFER_BYTES, GRACE_MS } from '../defaults.js'
import { mebibyteText } from './default-text.js'

export const INTRODUCTION = `# Command line

*Generated from the same tables as \`--help\`; run \`npm run docs\` after changing them.*

- [Commands](#commands)
- [Options](#options)
- [Job modules](#job-modules)
- [Input](#input)
- [Output](#output)
- [Watching a run](#watching-a-run)
- [Reports](#reports)
- [CI](#ci)
- [Signals](#signals)
- [Exit codes](#exit-codes)
- [Files](#files)

\`\`\`
poolrun <command> <job> [items…] [options]
poolrun merge <journal…> [options]
poolrun journal <file> [--json] [--compact]
poolrun init [folder]
poolrun completion bash|zsh|fish
poolrun help [command]
\`\`\`

## Commands`

export const OTHER_COMMANDS_TEXT = `### merge

Joins the journals of all shards of one run (\`--shard\`, \`--journal\`) into its whole output, with its failures, its summary line and its
exit code. Takes \`--output\`, \`--format\`, \`--envelope\`, \`--errors\`, \`--report\` and \`--allow-failures\`, which otherwise is that of the
shards. A shard that is missing, given twice, not complete or one of another run is exit code 4.

### journal

Prints how many items of a journal are done, have failed and have not run, and its size; with \`--json\` as
\`{"done","failed","notRun","size"}\`, where \`notRun\` is null if the input was not read to its end. \`--compact\` drops events that later
ones have replaced. [journal.md](journal.md) says what a journal is.

### init

Writes \`job.ts\` and \`items.ndjson\` into the folder (by default the current one), then prints the next command to run. If one of
them exists, nothing is written and the exit code is 2.

### completion

Prints a completion script:

- bash: \`eval "$(poolrun completion bash)"\`
- zsh: \`poolrun completion zsh > "\${fpath[1]}/_poolrun"\`
- fish: \`poolrun completion fish | source\``

export const OPTIONS_INTRODUCTION = `## Options

Every option but \`--eval\` can also be set as an environment variable; flags take precedence. Durations are written as \`500ms\`, \`2s\`, \`1.5m\` or
\`1h\`, and a bare number is seconds. Sizes are written as \`64kb\`, \`512mb\` or \`2gb\`, and a bare number is bytes. Environment
variables of switches are \`1\` or \`0\`; those of options that can be repeated hold a comma-separated list.`

export const DETAILS = `\`--buffer-size\` bounds the number of items that were read but not yet written. Their text and their
results are also bounded by ${mebibyteText(BUFFER_BYTES)}, or by about 1 MiB per worker if that is more.

## Job modules

\`<job>\` is \`path.ts\` for the default export or \`path.ts#name\` for a named export.

- \`.ts\`, \`.tsx\`, \`.mts\` and \`.cts\` work whatever \`package.json\` says about \`type\`. \`.js\`, \`.mjs\` and \`.cjs\` are read as Node reads
  them.
- Imports of other TypeScript files, JSON (without attributes, and by the names of its properties) and packages, tsconfig
  \`paths\`, enums, decorators and top-level \`await\` work. \`import.meta.url\` and \`__dirname\` refer to the file that you wrote.
  Types are not checked.
- Each file is compiled on its own and loaded as the module that it is: \`.mts\` is an ES module, \`.cts\` is CommonJS, and for \`.ts\`
  and \`.tsx\` the nearest \`package.json\` decides, as under tsx and Node. Without a \`type\` it is CommonJS, unless it awaits at top
  level. So packages resolve by the conditions of that format, modules run in the order of their imports, and a module is one
  instance however it is loaded. In a CommonJS file, the \`default\` of \`import()\` is the default export, also of what was
  compiled to CommonJS, as TypeScript compiles it.
- Names that are chosen at run time (\`import(name)\`, \`require(name)\`) may lead to TypeScript, and so may \`fork\` and
  \`new Worker\`. In a JavaScript job they may if the project has a \`tsconfig.json\`, or if the job imports TypeScript.
- The nearest \`tsconfig.json\` counts for each file, unless it extends something that is not installed; a warning says so.
  \`emitDecoratorMetadata\` works if \`typescript\` is installed beside the file; otherwise a warning says so.
- Exports with a special meaning are \`initializer\`, \`finalizer\`, \`input\` and \`shouldRetry\`; all are optional.
  [\`shouldRetry\`](guarantees.md#when-an-item-is-retried) decides whether a failed item is tried again, and when.
- The functions of \`starmap\` and \`apply\` receive only their arguments. \`currentTask()\` from \`poolrun\` returns the context anywhere
  inside a task.
- The context has \`index\` (position of the item in the whole input, from 0), \`attempt\` (from 1), \`workerId\` (0 to processes − 1; a
  replacement has the id of the worker it replaces), \`params\` (the values of \`--param\`, frozen)
  and \`signal\`.
- A result that is not JSON fails its item, and the message names its path in the result.
- The stdin of a job is empty.
- Workers have poolrun's environment, then the variables of \`--env-file\`, then those of \`--env\`. \`POOLRUN_WORKER_ID\` is the id of
  the worker. \`--node-options\` are added to their Node, not to poolrun's own.
- Node 20 reads \`--env-file\` itself before poolrun starts: it ends with exit code 9 if it cannot read the file, and applies
  \`NODE_OPTIONS\` in it to poolrun. It does not read the file that the variable \`POOLRUN_ENV_FILE\` names.
- A finalizer that throws, or that takes longer than \`--kill-after\`, causes a warning.

### Expressions

\`-e\` takes an expression in place of a job module. Its value is the task, and every argument is an item:

\`\`\`sh
poolrun map -e 'n => n * 2' 1 2 3
poolrun map -e 'async f => (await import("node:fs")).statSync(f).size' --glob '*.log'
\`\`\`

The expression is compiled and cached like a job. Packages and files are resolved from the working directory. In stack traces it is
called \`--eval\`.

### Without worker processes

With \`-j 0\`, items run one by one in poolrun's own process: \`node --inspect-brk node_modules/.bin/poolrun map job.ts 1 -j 0\` stops
at the breakpoints of a job. Output, failures, retries and exit codes are those of any other run. Nothing is isolated, killed or
limited in memory: an endless loop hangs the run, an item that has timed out may go on beside the next one, and what a job
writes directly to a file descriptor reaches the terminal. Modules are loaded once, however often their worker is replaced.

### Validating items

A job can export \`input\`, a [Standard Schema](https://standardschema.dev). Items that do not match fail with the issues and their
paths before the task sees them. For all others, the task receives the output of the schema.

\`\`\`ts
import { z } from 'zod'

export const input = z.object({ id: z.coerce.number().int(), email: z.email() })

export default function task({ id, email }: z.infer<typeof input>) { … }
\`\`\`

For \`starmap\`, the schema describes the array of arguments of one item; for \`apply\`, the array of all arguments.

### Callbacks

\`--callbacks hooks.ts\` loads a module into poolrun's own process. For each item, in the order in which items settle, it calls
either \`callback(result, index)\` or \`errorCallback(error, index)\`. A promise that a callback returns is awaited. A
callback that throws ends the run with exit code 1, and so does anything that the module throws outside of its callbacks, such as
in a timer.

## Input

Items come from the command line, from \`--input\`, from \`--glob\`, or from stdin.

| format       | items                                                           | chosen for                                           |
| ------------ | --------------------------------------------------------------- | ---------------------------------------------------- |
| \`ndjson\`     | one JSON value per line; blank lines are skipped                | \`.ndjson\`, \`.jsonl\`, or any first byte other than \`[\` |
| \`json\`       | the elements of one array                                       | \`.json\`, or the first byte \`[\`                       |
| \`lines\`      | one string per line; empty lines are skipped                    | \`.txt\`                                               |
| \`csv\`, \`tsv\` | one object of strings per record, with keys from the header row | \`.csv\`, \`.tsv\`                                       |
| \`nul\`        | strings that end with NUL, as \`find -print0\` writes them        | \`-0\`                                                 |

- Input is UTF-8; UTF-16 with its byte order mark is refused. A byte order mark of UTF-8 is dropped, lines end with LF or CRLF, and the last line end may be missing.
  In CSV and TSV, a carriage return without a line feed is an error outside quotes.
- \`.gz\` and \`.br\` files are decompressed, and \`.zst\` files where Node supports it (22.15, 23.8 and newer). The inner extension
  decides the format: \`data.csv.gz\`. Trailing data after the compressed data is an error.
- Input is streamed: neither a large array nor a large file is held in memory, and input that is still being written is
  processed as it arrives.
- An item on the command line is parsed as JSON, else taken as a string. It becomes a number only if that prints back
  as it was typed: \`12\` and \`-0.5\` are numbers; \`81444e2\`, \`1.0\`, \`007\` and \`1202285736968061337\` stay strings. With \`--strings\`, all items are
  strings. Items that start with \`-\` go after \`--\`.
- \`--glob 'photos/**/*.jpg'\` uses the matching paths as items. \`{a,b}\`, \`{1..12}\`, \`{01..12}\`, \`{a..e}\` and \`{1..10..3}\` are expanded as in
  bash. A file that several patterns match, or that is reached again through linked folders, is one item. A pattern that matches
  nothing is an error, even if another pattern matches. \`--glob '!**/old/**'\` leaves out what another pattern matches.
- \`--only 0,5-9,20-\` runs only the items with these indexes. They keep their indexes; indexes beyond the end are ignored.
- \`--shard 2/4\` runs every fourth item, beginning with the second; they keep their indexes, too. A shard without items ends with 0.
  [sharding.md](sharding.md) has recipes for CI systems and clusters.
- A CSV file whose fields are separated by semicolons needs \`--delimiter ';'\`; without it, a header that seems to have them causes a
  warning.
- A JSON document must be an array. Of an object that contains one, \`jq -c '.items[]' x.json | poolrun …\` takes the elements.
- With \`--batch 100\`, an item is a batch: an array of 100 consecutive items of the input. The last batch may be shorter. Indexes,
  \`--only\`, \`--retries\`, \`--errors\`, limits on failures and the summary line count batches, and a task that throws fails its whole
  batch. A batch begins as soon as its last item has been read.

Errors in the input are reported as \`file:line:column\` with the index of the item. For \`collect\`, a malformed line of NDJSON or
CSV, and a line or name that is not UTF-8, is one failed item, while a malformed JSON array ends the run with exit code 4. Input that is cut off, even in its last line,
ends any run with exit code 4, after all complete items. So does a file that becomes shorter while it is read, such as a log that is
emptied.

## Output

| \`--format\` | stdout                                        |
| ---------- | --------------------------------------------- |
| \`ndjson\`   | one result per line                           |
| \`json\`     | one array; for \`apply\`, the value             |
| \`raw\`      | strings unquoted, everything else as JSON     |
| \`csv\`, \`tsv\` | a header, then a row per result         |

The header of \`csv\` and \`tsv\` has the keys of the first result: that of the first item, or with \`--unordered\` the first one that is
there. A result that is not an object, or that has a key that the header lacks, fails its item (kind \`encoding\`). A missing key,
\`null\` and \`undefined\` are empty; arrays and objects are written as JSON. Lines end with LF. \`--delimiter ';'\` replaces the
comma, in input and output.

- \`-o results.ndjson\` writes to a temporary file beside the target and renames it if the exit code is 0 or 3. Otherwise, the target
  stays as it was. The target may be the input file. Owner, group and mode of an existing target stay. A mounted file, and
  another user's file that you may write, is overwritten at the end instead: see [Files](environments.md#files).
- \`--envelope\` writes \`{"index","ok","value","attempts","ms"}\` for every result. With \`collect\`, failed items are included, with
  \`"error"\` instead of \`"value"\`.
- \`--errors failed.ndjson\` writes one line per failed item, in the order in which they fail:
  \`{"index","item","kind","attempts","error"}\`. Items that were running when the run ended early follow at its end, as
  \`{"index","item","status":"cancelled","attempts","ms"}\`: their side effects may have happened. An existing file, and an existing
  report, stays as it was until the run begins.

To run just the failed items again:

\`\`\`sh
poolrun collect job.ts -i items.ndjson --errors failed.ndjson > done.ndjson
jq -c .item failed.ndjson | poolrun collect job.ts --errors still-failed.ndjson >> done.ndjson
\`\`\`

## Watching a run

On a terminal, a live block shows the progress of the run and what each worker is doing. Failures appear above it, with the lines of
code around the error.

\`\`\`
$ poolrun collect thumbnail.ts -i photos.ndjson -j 4 > thumbs.ndjson
RemoteTraceback: item 46, worker 1 (pid 27376)
"""
RangeError: photos/markt-46.jpg: the image has no pixels
    at thumbnail (thumbnail.ts:9:26)
"""

   7 |
   8 | export default async function thumbnail({ src, width }: Photo) {
>  9 |   if (width === 0) throw new RangeError(\`\${src}: the image has no pixels\`)
     |                          ^
  10 |   await pause(width / 2)

The above exception was the direct cause of the following exception:

RangeError: photos/markt-46.jpg: the image has no pixels
    at poolrun collect thumbnail.ts (item 46: {"src":"photos/markt-46.jpg","width":0})
collect: item 46 failed, skipped
⠹ collect  ⣿⣿⣿⣿⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀  55/240  22%  2.6/s  ETA 1:10  2 failed
  worker 0  item 58  0.0 s
  worker 1  item 57  0.5 s
  worker 2  item 56  0.7 s
  worker 3  item 55  1.3 s  {"src":"photos/東京タワー-55.jpg","width":4545}
\`\`\`

- \`kill -USR2 <pid>\` prints the same status to the stderr of any run.
- \`-v\` adds a line with the duration of every item, \`--debug\` the lifecycle of every worker.
- \`-n\` loads the job and counts the items without running anything.
- The last line sums up the run: \`poolrun collect: 9,998 ok, 2 failed (items 3, 77) in 41 s (243/s)\`. Parts that are zero are left
  out, except \`ok\`; a run of less than ten seconds has no duration and rate.
- \`collect\` shows a failure as soon as it settles, while results stay in order.
- Ten failures from one place (the same class of error and the same first frame) are printed in full, later ones as a single line if
  their message is new; all others are counted in one line at the end.
- What jobs print goes to stderr, line by line. \`--tag\` shows which item and worker printed a line; \`--job-output group\` keeps
  the lines of an item together.
- In a pipeline whose last command writes to the terminal (\`| cat\`, \`| jq\`, \`| less\`), progress is a plain line now and then,
  because a live block would be mixed with what that command writes. \`--progress bar\` shows the block there, too: the lines of
  the other command stay, but rests of the block may show to their right. With \`-o\` the pipe carries nothing, and the block is shown.
- While nobody reads stderr, jobs that print wait, and time limits and signals still apply. With \`--job-output group\` or
  \`failed\` they do not wait. If a reader takes nothing for 5 s, the run goes on without it: some megabytes of text are kept, the rest
  is replaced by one line that counts it, and a run that has ended exits.
- Colours follow \`--color\`, then \`NO_COLOR\` and \`FORCE_COLOR\`, then the terminal.

## Reports

\`--report html=report.html\` writes a single file for the browser: the failures grouped with their tracebacks, a zoomable timeline of workers
and items, durations and the slowest items. It works without a network connection. It runs only its own script, whatever jobs
print or throw.

![The HTML report of a run with failures](images/report.png)

- \`--report junit=…\` writes test results for CI systems.
- \`--report json=…\` writes everything for programs; [its fields](report.md) are documented.
- \`--report trace=…\` writes a trace for [Perfetto](https://ui.perfetto.dev) and \`chrome://tracing\`.

The option can be repeated. Reports are also written if the run ends by a signal or its deadline.

## CI

\`\`\`yaml
- run: npx poolrun collect job.ts -i items.ndjson --report junit=junit.xml -o results.ndjson
\`\`\`

- If \`CI\` is set, progress is a plain line now and then instead of a live block.
- On GitHub Actions, failures become annotations on the source line (up to nine, plus one with the count of the rest) and a step
  summary. While jobs run, workflow commands are switched off: nothing that a job prints, throws or returns can add an
  annotation or a mask.
- On GitLab, failures are in a section that can be folded.
- \`--ci none\` turns all of this off.

## Signals

| signal                  | effect                                                                                      |
| ----------------------- | ------------------------------------------------------------------------------------------- |
| SIGINT, SIGTERM, SIGHUP | No new items start, and running ones get ${GRACE_MS / 1000} seconds (\`--grace\`). A second signal kills everything immediately. The summary line and \`--errors\` name the items that were running. Summary and reports are written, then poolrun ends by the signal: the shell sees 130, 143 or 129. Under nohup, SIGHUP is ignored. |
| SIGTSTP, SIGCONT        | Workers and their timeouts pause and resume.                                                |
| SIGUSR2                 | Prints what each worker is doing to stderr.                                                 |

## Exit codes

If several apply, the order of this table decides.

| code      | meaning                                                                                                    |
| --------- | ---------------------------------------------------------------------------------------------------------- |
| by signal | the run was interrupted                                                                                    |
| 2         | usage: unknown command or option, bad value, no input                                                      |
| 4         | input: missing, malformed or cut off, not UTF-8, or a pattern that matches nothing                         |
| 5         | the job: not found, does not compile or load, or has no such export                                        |
| 6         | the initializer failed or was not ready in time                                                            |
| 7         | poolrun itself: no process can be started, output or report cannot be written, too many workers crashed    |
| 124       | \`--deadline\` was reached                                                                                   |
| 1         | \`map\`, \`starmap\`, \`apply\`: an item failed; \`imap\`: a failed item was reached; a callback threw             |
| 3         | \`collect\`: more items failed than \`--allow-failures\` permits                                               |
| 141       | the reader of stdout closed it, as in \`poolrun imap … \\| head\`                                             |
| 0         | success, also for empty input                                                                              |

## Files

Compiled jobs are cached in \`$POOLRUN_CACHE_DIR\`. Without it, they are cached in \`$XDG_CACHE_HOME/poolrun\` or
\`~/.cache/poolrun\`, or in a temporary folder if that cannot be used. The folder can be deleted at any time.
`
