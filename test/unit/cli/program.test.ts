// From argv and environment to a plan, a text or an error. Compares whole messages: they are part of the interface.
import { describe, expect, it } from 'vitest'
import { COMMAND_NAMES } from '../../../src/cli/commands.js'
import { OPTION_ENTRIES } from '../../../src/cli/options.js'
import { type CommandLine, parseCommandLine } from '../../../src/cli/program.js'
import { UsageError } from '../../../src/errors/classes.js'
import type { RunPlan } from '../../../src/plan.js'
import { describeProcessors, processors } from '../../../src/processors.js'

interface Case {
  env?: NodeJS.ProcessEnv
  tty?: boolean
}

/** The files that a command line of these tests may read. */
const FILES: Readonly<Record<string, string>> = {
  'a.env': '# a comment\nREGION="eu west"\nLEVEL=1\nexport KEY=\'a#b\'\n',
  'b.env': 'LEVEL=2\n',
}

function parse(argv: string | readonly string[], { env = {}, tty = false }: Case = {}): CommandLine {
  return parseCommandLine({
    argv: typeof argv === 'string' ? argv.split(' ').filter(Boolean) : argv,
    env,
    stdinIsTTY: tty,
    availableParallelism: 6,
    isFile: (path) => path === 'odd#name.ts',
    readFile(path) {
      const text = FILES[path]
      if (text === undefined) throw new Error('ENOENT: no such file or directory')
      return text
    },
  })
}

function plan(argv: string | readonly string[], environment?: Case): RunPlan {
  const parsed = parse(argv, environment)
  if (parsed.kind !== 'run') throw new Error(`not a run: ${JSON.stringify(parsed)}`)
  return parsed.plan
}

function usageError(argv: string | readonly string[], environment?: Case): string {
  try {
    parse(argv, environment)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('the command line was accepted')
}

describe('a run plan', () => {
  it('has the documented defaults if only the job is given', () => {
    expect(plan('map job.ts')).toEqual({
      command: 'map',
      job: { path: 'job.ts', exportName: 'default' },
      input: { kind: 'stdin' },
      inputFormat: undefined,
      delimiter: undefined,
      only: undefined,
      shard: undefined,
      batch: undefined,
      processes: 6,
      chunkSize: undefined,
      bufferSize: undefined,
      ordered: true,
      initArgs: [],
      params: {},
      workerEnv: {},
      envFiles: [],
      nodeOptions: [],
      initTimeoutMs: 60_000,
      concurrency: 1,
      maxTasksPerChild: undefined,
      maxMemoryBytes: undefined,
      maxWorkerRestarts: undefined,
      timeoutMs: undefined,
      killAfterMs: 2000,
      graceMs: 5000,
      deadlineMs: undefined,
      retry: { retries: 0, delayMs: 0, on: ['error', 'crash', 'timeout', 'oom'] },
      rate: undefined,
      format: 'ndjson',
      output: undefined,
      keepPartial: false,
      envelope: false,
      errors: undefined,
      reports: [],
      ci: 'auto',
      dryRun: false,
      maxFailures: undefined,
      allowFailures: { count: 0 },
      callbacks: undefined,
      journal: undefined,
      key: undefined,
      fullStack: false,
      color: undefined,
      verbosity: 'normal',
      debug: false,
      progress: 'auto',
      jobOutput: undefined,
      tag: false,
    })
  })

  it('is frozen, and so are its parts', () => {
    const frozen = plan('map job.ts 1 2')
    expect(Object.isFrozen(frozen)).toBe(true)
    expect(Object.isFrozen(frozen.job)).toBe(true)
    expect(frozen.input.kind === 'items' && Object.isFrozen(frozen.input.texts)).toBe(true)
  })

  it('is the same when every option is given as an environment variable', () => {
    const text =
      'collect job.ts -i in.txt --input-format lines --only 0,5- --shard 2/4 --batch 20 --delimiter ; -j 3 --chunk-size 10 --buffer-size 50 --unordered ' +
      '--init-args [1] --init-timeout 2s --concurrency 4 --max-tasks-per-child 100 --max-memory 512mb ' +
      '--max-worker-restarts 0 --timeout 1.5s --kill-after 250ms --grace 0 --rate 30/m --deadline 1h --retries 2 --retry-delay 100ms ' +
      '--retry-on timeout,validation --format json -o out.json --keep-partial --envelope --errors errors.ndjson --report json=r.json --report html=r.html --ci gitlab -n --max-failures 5% --allow-failures=2 --callbacks cb.ts --journal j.ndjson --resume=missing --resume-force --resume-emit new --explain-resume --key /id --fsync each ' +
      '--full-stack --color -q --progress plain --job-output group --tag --env-file a.env --env LEVEL=3 --env LIST=1,2 --param size=3 --param name=a,b --param list=[1,2]'
    const flags = [...text.split(' '), '--node-options', "--no-warnings --title='a b'"]
    const env = {
      POOLRUN_PARAM: 'size=3,name=a,b,list=[1,2]',
      POOLRUN_ENV: 'LEVEL=3,LIST=1,2',
      POOLRUN_ENV_FILE: 'a.env',
      POOLRUN_NODE_OPTIONS: "--no-warnings --title='a b'",
      POOLRUN_INPUT: 'in.txt',
      POOLRUN_INPUT_FORMAT: 'lines',
      POOLRUN_ONLY: '0,5-',
      POOLRUN_SHARD: '2/4',
      POOLRUN_BATCH: '20',
      POOLRUN_DELIMITER: ';',
      POOLRUN_PROCESSES: '3',
      POOLRUN_CHUNK_SIZE: '10',
      POOLRUN_BUFFER_SIZE: '50',
      POOLRUN_UNORDERED: '1',
      POOLRUN_INIT_ARGS: '[1]',
      POOLRUN_INIT_TIMEOUT: '2s',
      POOLRUN_CONCURRENCY: '4',
      POOLRUN_MAX_TASKS_PER_CHILD: '100',
      POOLRUN_MAX_MEMORY: '512mb',
      POOLRUN_MAX_WORKER_RESTARTS: '0',
      POOLRUN_TIMEOUT: '1.5s',
      POOLRUN_KILL_AFTER: '250ms',
      POOLRUN_GRACE: '0',
      POOLRUN_RATE: '30/m',
      POOLRUN_DEADLINE: '1h',
      POOLRUN_RETRIES: '2',
      POOLRUN_RETRY_DELAY: '100ms',
      POOLRUN_RETRY_ON: 'timeout,validation',
      POOLRUN_FORMAT: 'json',
      POOLRUN_MAX_FAILURES: '5%',
      POOLRUN_ALLOW_FAILURES: '2',
      POOLRUN_CALLBACKS: 'cb.ts',
      POOLRUN_JOURNAL: 'j.ndjson',
      POOLRUN_RESUME: 'missing',
      POOLRUN_RESUME_FORCE: '1',
      POOLRUN_RESUME_EMIT: 'new',
      POOLRUN_EXPLAIN_RESUME: '1',
      POOLRUN_KEY: '/id',
      POOLRUN_FSYNC: 'each',
      POOLRUN_PROGRESS: 'plain',
      POOLRUN_FULL_STACK: '1',
      POOLRUN_COLOR: '1',
      POOLRUN_QUIET: '1',
      POOLRUN_JOB_OUTPUT: 'group',
      POOLRUN_TAG: '1',
      POOLRUN_OUTPUT: 'out.json',
      POOLRUN_KEEP_PARTIAL: '1',
      POOLRUN_ENVELOPE: '1',
      POOLRUN_ERRORS: 'errors.ndjson',
      POOLRUN_CI: 'gitlab',
      POOLRUN_DRY_RUN: '1',
      POOLRUN_REPORT: 'json=r.json,html=r.html',
    }
    expect(plan('collect job.ts', { env })).toEqual(plan(flags))
    expect(plan(flags)).toEqual({
      command: 'collect',
      job: { path: 'job.ts', exportName: 'default' },
      input: { kind: 'file', path: 'in.txt' },
      inputFormat: 'lines',
      delimiter: ';',
      only: [{ from: 0, to: 0 }, { from: 5 }],
      shard: { index: 2, count: 4 },
      batch: 20,
      processes: 3,
      chunkSize: 10,
      bufferSize: 50,
      ordered: false,
      initArgs: [1],
      params: { size: 3, name: 'a,b', list: [1, 2] },
      workerEnv: { LEVEL: '3', REGION: 'eu west', KEY: 'a#b', LIST: '1,2' },
      envFiles: ['a.env'],
      nodeOptions: ['--no-warnings', '--title=a b'],
      initTimeoutMs: 2000,
      concurrency: 4,
      maxTasksPerChild: 100,
      maxMemoryBytes: 512 * 1024 ** 2,
      maxWorkerRestarts: 0,
      timeoutMs: 1500,
      killAfterMs: 250,
      graceMs: 0,
      deadlineMs: 3_600_000,
      retry: { retries: 2, delayMs: 100, on: ['timeout', 'validation'] },
      rate: { intervalMs: 2_000, text: '30/m' },
      format: 'json',
      output: 'out.json',
      keepPartial: true,
      envelope: true,
      errors: 'errors.ndjson',
      reports: [
        { kind: 'json', path: 'r.json' },
        { kind: 'html', path: 'r.html' },
      ],
      ci: 'gitlab',
      dryRun: true,
      maxFailures: { percent: 5 },
      allowFailures: { count: 2 },
      callbacks: 'cb.ts',
      journal: {
        path: 'j.ndjson',
        resume: 'missing',
        force: true,
        emitsNew: true,
        explain: true,
        fsync: 'each',
      },
      key: '/id',
      fullStack: true,
      color: true,
      verbosity: 'quiet',
      debug: false,
      progress: 'plain',
      jobOutput: 'group',
      tag: true,
    })
  })

  const cases: [string | readonly string[], Case, Partial<RunPlan>][] = [
    ['map job.ts#square', {}, { job: { path: 'job.ts', exportName: 'square' } }],
    ['map C#/job.ts', {}, { job: { path: 'C#/job.ts', exportName: 'default' } }],
    ['map C#/job.ts#x', {}, { job: { path: 'C#/job.ts', exportName: 'x' } }],
    ['map odd#name.ts', {}, { job: { path: 'odd#name.ts', exportName: 'default' } }],
    ['map odd#name.ts#x', {}, { job: { path: 'odd#name.ts', exportName: 'x' } }],
    ['map job.ts 1 two', {}, { input: { kind: 'items', texts: ['1', 'two'] } }],
    ['map job.ts 1', { tty: true }, { input: { kind: 'items', texts: ['1'] } }],
    ['map job.ts 1 --strings', {}, { input: { kind: 'items', texts: ['1'], asStrings: true } }],
    [
      'map job.ts 1',
      { env: { POOLRUN_STRINGS: '1' } },
      { input: { kind: 'items', texts: ['1'], asStrings: true } },
    ],
    ['map job.ts 1', { env: { POOLRUN_STRINGS: '0' } }, { input: { kind: 'items', texts: ['1'] } }],
    ['map job.ts', { env: { POOLRUN_STRINGS: '1' } }, { input: { kind: 'stdin' } }],
    [
      ['map', 'job.ts', '--glob', 'a,b.{c,d}', '--glob', 'e{f', '--glob', '{g,{h,i}}'],
      {},
      { input: { kind: 'glob', patterns: ['a,b.{c,d}', 'e{f', '{g,{h,i}}'] } },
    ],
    [
      'map job.ts',
      { env: { POOLRUN_GLOB: 'a,b.{c,d},{g,{h,i}},j\\,k,,' } },
      { input: { kind: 'glob', patterns: ['a', 'b.{c,d}', '{g,{h,i}}', 'j\\,k'] } },
    ],
    ['map job.ts -1 -2.5', {}, { input: { kind: 'items', texts: ['-1', '-2.5'] } }],
    ['map job.ts -- -0 --tag -h', {}, { input: { kind: 'items', texts: ['-0', '--tag', '-h'] }, tag: false }],
    [['map', 'job.ts', ''], {}, { input: { kind: 'items', texts: [''] } }],
    [
      'map -j 2 job.ts 1 --tag 2',
      {},
      { processes: 2, tag: true, input: { kind: 'items', texts: ['1', '2'] } },
    ],
    ['map job.ts -i -', { tty: true }, { input: { kind: 'stdin' } }],
    ['map job.ts -i a.json', { tty: true }, { input: { kind: 'file', path: 'a.json' } }],
    ['map job.ts 1', { env: { POOLRUN_INPUT: 'a' } }, { input: { kind: 'items', texts: ['1'] } }],
    ['apply job.ts', {}, { input: { kind: 'items', texts: [] } }],
    ['apply job.ts', { tty: true }, { input: { kind: 'items', texts: [] } }],
    ['apply job.ts -i -', {}, { input: { kind: 'stdin' } }],
    ['map job.ts -0', {}, { inputFormat: 'nul' }],
    ['map job.ts -q0', {}, { inputFormat: 'nul', verbosity: 'quiet' }],
    ['map job.ts -j4', {}, { processes: 4 }],
    ['map job.ts -j 0 --concurrency 1', {}, { processes: 0 }],
    ['map job.ts -j 50%', {}, { processes: 3 }],
    ['map job.ts -j 1%', {}, { processes: 1 }],
    ['map job.ts -j 200%', {}, { processes: 12 }],
    ['map job.ts -j auto', { env: { POOLRUN_PROCESSES: '2' } }, { processes: 6 }],
    ['map job.ts', { env: { POOLRUN_PROCESSES: '' } }, { processes: 6 }],
    ['map job.ts -j 1 -j 2', {}, { processes: 2 }],
    ['map job.ts', { env: { POOLRUN_MAX_FAILURES: '3', POOLRUN_UNORDERED: '1' } }, { ordered: true }],
    ['imap job.ts', {}, { ordered: true }],
    ['imap job.ts --unordered', {}, { ordered: false }],
    ['imap-unordered job.ts', {}, { ordered: false }],
    ['collect job.ts', { env: { POOLRUN_UNORDERED: '0' } }, { ordered: true }],
    ['map job.ts --chunk-size auto', { env: { POOLRUN_CHUNK_SIZE: '5' } }, { chunkSize: undefined }],
    ['map job.ts --init-timeout 500ms', {}, { initTimeoutMs: 500 }],
    ['map job.ts --init-timeout 1.5m', {}, { initTimeoutMs: 90_000 }],
    ['map job.ts --init-timeout 1h', {}, { initTimeoutMs: 3_600_000 }],
    ['map job.ts --init-timeout .5', {}, { initTimeoutMs: 500 }],
    ['map job.ts --timeout 90', {}, { timeoutMs: 90_000 }],
    ['map job.ts --max-memory 65536', {}, { maxMemoryBytes: 65_536 }],
    ['map job.ts --max-memory 64KB', {}, { maxMemoryBytes: 65_536 }],
    ['map job.ts --max-memory 1.5gb', {}, { maxMemoryBytes: 1.5 * 1024 ** 3 }],
    [
      ['map', 'job.ts', '--retry-on', 'error, encoding'],
      {},
      { retry: { retries: 0, delayMs: 0, on: ['error', 'encoding'] } },
    ],
    [
      'map job.ts --retries 1 --retry-delay 0s',
      { env: { POOLRUN_RETRY_DELAY: '5s' } },
      { retry: { retries: 1, delayMs: 0, on: ['error', 'crash', 'timeout', 'oom'] } },
    ],
    ['collect job.ts --allow-failures', {}, { allowFailures: 'any' }],
    ['collect --allow-failures job.ts', {}, { allowFailures: 'any' }],
    ['collect job.ts --allow-failures=0', {}, { allowFailures: { count: 0 } }],
    ['collect job.ts --allow-failures=2.5%', {}, { allowFailures: { percent: 2.5 } }],
    ['collect job.ts --max-failures 3', {}, { maxFailures: { count: 3 } }],
    ['map job.ts --no-color', { env: { POOLRUN_COLOR: '1' } }, { color: false }],
    ['map job.ts', { env: { POOLRUN_COLOR: '0' } }, { color: false }],
    ['map job.ts --color --no-color', {}, { color: false }],
    ['map job.ts -v', {}, { verbosity: 'verbose' }],
    ['map job.ts -v', { env: { POOLRUN_QUIET: '1' } }, { verbosity: 'verbose' }],
    ['map job.ts -q', { env: { POOLRUN_VERBOSE: '1' } }, { verbosity: 'quiet' }],
    ['map job.ts --debug', {}, { verbosity: 'normal', debug: true }],
    ['map job.ts -v --debug', {}, { verbosity: 'verbose', debug: true }],
    ['map job.ts --debug', { env: { POOLRUN_QUIET: '1' } }, { verbosity: 'normal', debug: true }],
    ['map job.ts -q', { env: { POOLRUN_DEBUG: '1' } }, { verbosity: 'quiet', debug: false }],
    ['map job.ts --max-worker-restarts none', {}, { maxWorkerRestarts: Number.POSITIVE_INFINITY }],
    [
      [
        'map',
        'job.ts',
        '--param',
        'a=',
        '--param',
        'b={"c":null}',
        '--param',
        'd=x=y',
        '--param',
        'a.b-c="1"',
      ],
      {},
      { params: { a: '', b: { c: null }, d: 'x=y', 'a.b-c': '1' } },
    ],
    ['map job.ts --param a=1 --param a=two', { env: { POOLRUN_PARAM: 'a=3' } }, { params: { a: 'two' } }],
    [
      'map -e n=>n job.ts 1',
      {},
      {
        job: { path: '--eval', exportName: 'default', expression: 'n=>n' },
        input: { kind: 'items', texts: ['job.ts', '1'] },
      },
    ],
    ['apply --eval ()=>1', { tty: true }, { input: { kind: 'items', texts: [] } }],
    ['map -q 1 -e n=>n -- -2', {}, { input: { kind: 'items', texts: ['1', '-2'] } }],
    ['map job.ts --env A= --env B=x=y', {}, { workerEnv: { A: '', B: 'x=y' } }],
    ['map job.ts --env A=1 --env A=2', { env: { POOLRUN_ENV: 'A=3,C=4' } }, { workerEnv: { A: '2' } }],
    ['map job.ts --env-file a.env --env-file b.env', {}, { workerEnv: { LEVEL: '2', REGION: 'eu west' } }],
    [
      ['map', 'job.ts', '--node-options', ' --import "./a b.mjs" -r ./c.cjs --stack-size=2000 '],
      {},
      { nodeOptions: ['--import', './a b.mjs', '-r', './c.cjs', '--stack-size=2000'] },
    ],
    ['map job.ts --progress none', { env: { POOLRUN_PROGRESS: 'bar' } }, { progress: 'none' }],
  ]
  for (const [argv, environment, expected] of cases) {
    const env = environment.env === undefined ? '' : ` with ${JSON.stringify(environment.env)}`
    it(`follows from ${JSON.stringify(argv)}${env}${environment.tty ? ' on a terminal' : ''}`, () => {
      expect(plan(argv, environment)).toMatchObject(expected)
    })
  }
})

describe('a usage error', () => {
  const cases: [string | readonly string[], Case, string][] = [
    ['mpa job.ts', {}, "unknown command 'mpa' (did you mean map?)\nTry 'poolrun --help'."],
    [
      'job.ts#x 1',
      {},
      "unknown command 'job.ts#x'; the command goes before the job: poolrun map job.ts#x\nTry 'poolrun --help'.",
    ],
    ['help mpa', {}, "unknown command 'mpa' (did you mean map?)\nTry 'poolrun --help'."],
    [
      'imap job.ts --chunksize 3',
      {},
      "unknown option '--chunksize' (did you mean --chunk-size?)\nTry 'poolrun imap --help'.",
    ],
    [
      'map job.ts -k',
      {},
      "unknown option '-k'; put -- before items that start with -\nTry 'poolrun map --help'.",
    ],
    ['map job.ts --tag=1', {}, "unknown option '--tag=1' (did you mean --tag?)\nTry 'poolrun map --help'."],
    [
      '-j 4 map job.ts',
      {},
      "options go after the command: poolrun <command> <job> [items…] [options]\nTry 'poolrun --help'.",
    ],
    ['completion tcsh', {}, "unknown shell 'tcsh': expected bash, zsh, fish\nTry 'poolrun --help'."],
    [
      'completion',
      {},
      "missing required argument 'shell': poolrun completion <bash|zsh|fish>\nTry 'poolrun --help'.",
    ],
    ['map -e n=>n -e n=>n', {}, '--eval was given twice'],
    [
      ['map', '-e', ' \n'],
      {},
      "invalid value ' \\n' for --eval: expected an expression whose value is the task",
    ],
    [['map', '-e', ''], {}, "invalid value '' for --eval: expected an expression whose value is the task"],
    [
      'map',
      { env: { POOLRUN_EVAL: 'n => n' } },
      "no job given: poolrun map <job> [items…] [options]\nTry 'poolrun map --help'.",
    ],
    ...(['--concurrency 2', '--max-memory 1gb'] as const).map((option): [string, Case, string] => [
      `map job.ts -j 0 ${option}`,
      {},
      `--processes 0 cannot be combined with ${option.split(' ')[0]}: items run one by one in the process of poolrun`,
    ]),
    [
      'map job.ts --node-options --inspect',
      { env: { POOLRUN_PROCESSES: '0' } },
      '--processes 0 cannot be combined with --node-options: items run one by one in the process of poolrun; give them to its Node: NODE_OPTIONS=…',
    ],
    ['map', {}, "no job given: poolrun map <job> [items…] [options]\nTry 'poolrun map --help'."],
    ['map job.ts -j', {}, "option '-j, --processes <n|n%|auto>' requires a value\nTry 'poolrun map --help'."],
    ['map job.ts#', {}, "invalid job 'job.ts#': expected path.ts, or path.ts#name for a named export"],
    ['map #square', {}, "invalid job '#square': expected path.ts, or path.ts#name for a named export"],
    [['map', ''], {}, "invalid job '': expected path.ts, or path.ts#name for a named export"],
    ['map job.ts', { tty: true }, 'no items: pass them as arguments, with --input FILE, or on stdin'],
    [
      'map job.ts --strings',
      {},
      '--strings is for items on the command line; for --input and stdin use --input-format lines',
    ],
    [
      'map job.ts --strings -i a',
      {},
      '--strings is for items on the command line; for --input and stdin use --input-format lines',
    ],
    ['map job.ts 1 -i a', {}, '--input cannot be combined with items on the command line'],
    [
      'map job.ts 1 -0',
      {},
      '--input-format is for --input and stdin; items on the command line are parsed as JSON, else taken as strings',
    ],
    ['map job.ts -i a -i b', {}, '--input was given twice'],
    ['map job.ts --glob * 1', {}, '--glob cannot be combined with items on the command line'],
    ['map job.ts --glob * -i x', {}, '--glob cannot be combined with --input'],
    [
      'map job.ts --glob * --input-format csv',
      {},
      '--input-format is for --input and stdin; the items of --glob are paths',
    ],
    ['map job.ts --env A=1 --env x', {}, "invalid value 'x' for --env: expected NAME=value"],
    [
      'map job.ts --env-file a.env --env-file missing',
      {},
      "cannot read --env-file 'missing': ENOENT: no such file or directory",
    ],
    ['map job.ts --max-failures 3', {}, '--max-failures is for collect, not for map'],
    ['imap job.ts --allow-failures', {}, '--allow-failures is for collect, not for imap'],
    ...(['raw', 'csv', 'tsv'] as const).map((format): [string, Case, string] => [
      `map job.ts --envelope --format ${format}`,
      {},
      `--envelope cannot be combined with --format ${format}: an envelope is JSON, so use ndjson or json`,
    ]),
    ['starmap job.ts --batch 2', {}, '--batch is for map, imap, imap-unordered and collect, not for starmap'],
    [
      'apply -e n=>n --batch=2 1 2',
      {},
      '--batch is for map, imap, imap-unordered and collect, not for apply',
    ],
    ['apply job.ts --unordered', {}, '--unordered is for imap, imap-unordered and collect, not for apply'],
    [
      'collect job.ts --allow-failures 5',
      {},
      "the value of --allow-failures must follow an equals sign: --allow-failures=5 (if '5' is an item, put -- before the items)",
    ],
    ['map job.ts -q -v', {}, '--quiet cannot be combined with --verbose'],
    ['map job.ts -q --debug', {}, '--quiet cannot be combined with --debug'],
    [
      'map job.ts --progress fancy',
      {},
      "invalid value 'fancy' for --progress: expected auto, bar, plain or none",
    ],
    [
      'map job.ts',
      { env: { POOLRUN_QUIET: 'yes' } },
      "invalid value 'yes' for POOLRUN_QUIET: expected 1 or 0",
    ],
    [
      'map job.ts',
      { env: { POOLRUN_CHUNK_SIZE: '0' } },
      "invalid value '0' for POOLRUN_CHUNK_SIZE: expected a positive integer or auto",
    ],
    [
      ['map', 'job.ts', '--format', `a\n\u001b[2J${'x'.repeat(100)}`],
      {},
      `invalid value 'a\\n\\u001b[2J${'x'.repeat(73)}…' for --format: expected ndjson, json, raw, csv or tsv`,
    ],
    ['map job.ts -i', {}, "option '-i, --input <file|->' requires a value\nTry 'poolrun map --help'."],
    [['map', 'job.ts', '-i', ''], {}, "invalid value '' for --input: expected a file, or - for stdin"],
  ]
  for (const [argv, environment, message] of cases) {
    const env = environment.env === undefined ? '' : ` with ${JSON.stringify(environment.env)}`
    it(`is reported for ${JSON.stringify(argv)}${env}${environment.tty ? ' on a terminal' : ''}`, () => {
      expect(usageError(argv, environment)).toBe(message)
    })
  }

  const DURATION =
    'a duration such as 500ms, 2s, 1.5m or 1h (a bare number is seconds), above 0 and at most 24 days'
  const NODE_OPTIONS =
    'options of Node such as --max-old-space-size=4096, as --name or --name=value; they may not choose what Node runs'
  const accepts = {
    '--processes': 'an integer of 0 or more, a percentage such as 5% or auto',
    '--batch': 'a positive integer',
    '--delimiter': 'one character that is not a quote or a line end, such as ;',
    '--chunk-size': 'a positive integer or auto',
    '--buffer-size': 'a positive integer',
    '--max-failures': 'a positive integer or a percentage such as 5%',
    '--allow-failures': 'an integer of 0 or more, a percentage such as 5% or any',
    '--init-args': `a JSON array such as '["eu", 3]'`,
    '--init-timeout': DURATION,
    '--concurrency': 'a positive integer',
    '--max-tasks-per-child': 'a positive integer',
    '--max-memory': 'a size such as 64kb, 512mb or 2gb (a bare number is bytes)',
    '--max-worker-restarts': 'an integer of 0 or more or none',
    '--timeout': DURATION,
    '--kill-after': DURATION,
    '--grace': '0, or a duration such as 500ms or 2s (a bare number is seconds), at most 24 days',
    '--rate': 'a rate above 0 with its unit, such as 10/s, 600/m or 0.5/h',
    '--deadline': DURATION,
    '--retries': 'an integer of 0 or more',
    '--retry-delay': '0, or a duration such as 500ms or 2s (a bare number is seconds), at most 24 days',
    '--retry-on': 'a comma-separated list of error, crash, timeout, oom, input, validation, encoding',
    '--input-format': 'json, ndjson, lines, csv, tsv or nul',
    '--only': 'indexes and ranges such as 0,5-9,20-',
    '--job-output': 'lines, group, failed or none',
    '--env': 'NAME=value',
    '--param': 'name=value',
    '--report': 'json=<file>, junit=<file>, html=<file> or trace=<file>',
    '--node-options': NODE_OPTIONS,
  }
  const bad: [keyof typeof accepts, string[]][] = [
    ['--processes', ['-1', '00', '1.5', '0%', '-5%', '1e3', ' 2', 'all', '9'.repeat(20)]],
    ['--batch', ['0', '-1', '1.5', 'auto', '50%', '1e3']],
    ['--delimiter', ['', ';;', '"', '\\n']],
    ['--chunk-size', ['0', '-1', '1.5', '+1', '0x10', 'many']],
    ['--buffer-size', ['0', '-1', 'auto', '1k']],
    ['--max-failures', ['0', '0%', '101%', '-1', 'any']],
    ['--allow-failures', ['-1', '101%', 'all']],
    ['--init-args', ['{}', '1', '[', '[1,]', 'null']],
    ['--init-timeout', ['0', '-1s', '2x', '1h30m', '600h', 's', '1 s', 'Infinity', '-']],
    ['--concurrency', ['0', '-1', 'auto', '50%']],
    ['--max-tasks-per-child', ['0', '-1', '1.5']],
    ['--max-memory', ['0', '0mb', '-1', '64k', '64 kb', '50%', 'mb', '1e9', '9'.repeat(20)]],
    ['--max-worker-restarts', ['-1', '1.5', 'all', 'Infinity']],
    ['--timeout', ['0', '-1', '1d', '25000h']],
    ['--kill-after', ['0', '-500ms']],
    ['--grace', ['-1s', 'none']],
    ['--rate', ['10', '-1/s', '10/x', '0/s', '/s', '10/', '1e3/s', '0.0001/h', '10/ms', '10 / s']],
    ['--deadline', ['0s', 'tomorrow']],
    ['--retries', ['-1', '1.5', 'all']],
    ['--retry-delay', ['-1s', '600h', '0x', '00']],
    ['--retry-on', ['all', 'error,', ',', 'error;crash', 'Error', 'signal']],
    ['--input-format', ['xml', 'JSON']],
    ['--only', ['5-2', 'x', '-3', '1,,2']],
    ['--job-output', ['all']],
    ['--param', ['x', '=1', '']],
    ['--report', ['xml=r', 'json', 'json=']],
    ['--env', ['x', '=x', '']],
    [
      '--node-options',
      [
        '',
        'script.js',
        '--no-warnings script.js',
        '-e 1',
        '--eval=1',
        '-p',
        '--check',
        '--test',
        '--',
        '-',
        '"--title=a',
      ],
    ],
  ]
  for (const [option, values] of bad) {
    for (const value of values) {
      it(`names what ${option} accepts when given ${JSON.stringify(value)}`, () => {
        const expected = `invalid value '${value}' for ${option}: expected ${accepts[option]}`
        expect(usageError(['collect', 'job.ts', `${option}=${value}`])).toBe(expected)
      })
    }
  }

  it.each([
    ['arrays', '['.repeat(5000), ']'.repeat(5000)],
    ['objects', `[${'{"a":'.repeat(2500)}1`, `${'}'.repeat(2500)}]`],
  ])('refuses %s in --init-args that are nested too deeply to be sent', (_what, open, close) => {
    const error = usageError(['collect', 'job.ts', `--init-args=${open}${close}`])
    expect(error).toContain(`for --init-args: expected ${accepts['--init-args']}`)
  })

  it('lists the commands when nothing is given', () => {
    expect(usageError([])).toMatchInlineSnapshot(`
      "no command given

      Usage: poolrun <command> <job> [items…] [options]
      Commands: map, starmap, apply, imap, imap-unordered, collect, merge, journal, init, completion
      Try 'poolrun --help'."
    `)
  })
})

it('takes __proto__ as the name of a parameter or a variable', () => {
  const { params } = plan(['map', 'job.ts', '--param', '__proto__={"__proto__":1}'])
  expect(JSON.stringify(params)).toBe('{"__proto__":{"__proto__":1}}')
  expect(Object.getPrototypeOf(params)).toBe(Object.prototype)
  expect(Object.entries(plan('map job.ts --env __proto__=x').workerEnv)).toEqual([['__proto__', 'x']])
})

describe('the table of options', () => {
  it('has only defaults that their option accepts', () => {
    const refused = OPTION_ENTRIES.filter(
      ([, spec]) => spec.default !== undefined && spec.type.parse(spec.default) === undefined,
    )
    expect(refused).toEqual([])
  })

  it('uses every short flag once', () => {
    const shorts = OPTION_ENTRIES.flatMap(([, spec]) => spec.short ?? [])
    expect(new Set(shorts).size).toBe(shorts.length)
  })
})

describe('help and version', () => {
  function printed(argv: string): string {
    const parsed = parse(argv, { tty: true })
    if (parsed.kind !== 'print') throw new Error('not a text to print')
    return parsed.text
  }

  it('prints the version of the package', () => {
    expect(printed('--version')).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('prints what it runs on with --version --verbose', () => {
    const [, ...details] = printed('--version --verbose').split('\n')
    expect(details).toEqual([
      `Node ${process.version}, ${process.platform} ${process.arch}`,
      describeProcessors(processors()),
      '',
    ])
  })

  it('prints the same with --help, -h and help', () => {
    expect(printed('-h')).toBe(printed('--help'))
    expect(printed('help')).toBe(printed('--help'))
    expect(printed('help map')).toBe(printed('map --help'))
    expect(printed('map job.ts 1 -h')).toBe(printed('map --help'))
  })

  it('fits 80 columns', () => {
    const pages = ['--help', ...COMMAND_NAMES.map((name) => `${name} -h`)]
    const tooLong = pages.flatMap((page) => printed(page).split('\n')).filter((line) => line.length > 80)
    expect(tooLong).toEqual([])
  })

  it('lists the options of a command', () => {
    expect(printed('--help')).toMatchSnapshot('poolrun --help')
    expect(printed('collect --help')).toMatchSnapshot('poolrun collect --help')
    expect(printed('map --help')).not.toContain('--max-failures')
  })
})
