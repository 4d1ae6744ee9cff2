// The complete text of each kind of failure.
import { describe, expect, test } from 'vitest'
import type { ErrorData } from '../../../../src/error-data.js'
import { InitializerError, JobError, PoolBrokenError } from '../../../../src/errors/classes.js'
import { makeCallbackError } from '../../../../src/errors/rebuild/item-error.js'
import { makeRemoteTraceback } from '../../../../src/errors/rebuild/remote-traceback.js'
import {
  type ItemContext,
  renderAttempts,
  renderCallbackFailure,
  renderItemFailure,
  renderPoolError,
} from '../../../../src/errors/render/traceback.js'
import type { Failure, ItemFailure } from '../../../../src/model.js'

const OPTIONS = { cwd: '/home/ann', ownFolders: ['/opt/poolrun/dist'] }
const CONTEXT: ItemContext = { command: 'poolrun map jobs/fail2.ts', index: 2, item: '2' }

function error(name: string, message: string, location: string, more: object = {}): ErrorData {
  const frames = `    at task (file:///home/ann/jobs/${location})\n    at run (file:///opt/poolrun/dist/worker.js:1:1)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`
  return { type: 'error', name, message, frames, builtin: 'Error', props: {}, ...more }
}

function thrown(typeName: string, preview: string): ErrorData {
  return { type: 'thrown', typeName, preview, cloned: false }
}

function render(failure: Failure, { attempts = 1, context = CONTEXT } = {}): string {
  return `\n${renderItemFailure(context, { offset: 2, failure, workerId: 1, pid: 4131, attempts }, OPTIONS)}\n`
}

const crashed = { exitCode: null, signal: null, afterMs: 1234, stderrTail: [] }

test('renders an error as a remote block, the sentence and the local error', () => {
  expect(render({ kind: 'error', error: error('Error', 'Something bad happened!', 'fail2.ts:6:11') })).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
Error: Something bad happened!
    at task (jobs/fail2.ts:6:11)
"""

The above exception was the direct cause of the following exception:

Error: Something bad happened!
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test('shows the attempt, properties, an error without a message and a truncated item', () => {
  const failure: Failure = {
    kind: 'error',
    error: error('Oops', '', 'a.ts:1:2', { props: { code: 'ENOENT', errno: -2 } }),
  }
  const context = { ...CONTEXT, item: `"${'long\n'.repeat(20)}"` }
  expect(render(failure, { attempts: 3, context })).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131), attempt 3
"""
Oops
    at task (jobs/a.ts:1:2)
  { code: 'ENOENT', errno: -2 }
"""

The above exception was the direct cause of the following exception:

Oops
    at poolrun map jobs/fail2.ts (item 2: "long\\nlong\\nlong\\nlong\\nlong\\nlong\\nlong\\nlong\\nlong\\nlong…)
`)
})

test('renders causes inside the quotes, oldest first, Errors or not', () => {
  const middle = error('TypeError', 'middle', 'b.ts:2:2', { cause: thrown('string', "'root'") })
  expect(render({ kind: 'error', error: error('Error', 'outer', 'a.ts:1:1', { cause: middle }) })).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
thrown: 'root' (string; not an Error, so no stack)

The above exception was the direct cause of the following exception:

TypeError: middle
    at task (jobs/b.ts:2:2)

The above exception was the direct cause of the following exception:

Error: outer
    at task (jobs/a.ts:1:1)
"""

The above exception was the direct cause of the following exception:

Error: outer
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test('renders an AggregateError as a tree', () => {
  const parts = [
    error('Error', 'a\nsecond line', 'agg.ts:2:9'),
    error('TypeError', 'b', 'agg.ts:3:9', { cause: error('RangeError', 'c', 'agg.ts:1:7') }),
    error('AggregateError', 'inner', 'agg.ts:5:5', { errors: [thrown('null', 'null')] }),
    { ...thrown('omitted', '[7 more errors]'), omitted: true },
  ]
  expect(
    render({ kind: 'error', error: error('AggregateError', 'all failed', 'agg.ts:4:9', { errors: parts }) }),
  ).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
AggregateError: all failed
    at task (jobs/agg.ts:4:9)
  [1/4] Error: a
  second line
      at task (jobs/agg.ts:2:9)
  [2/4] TypeError: b
      at task (jobs/agg.ts:3:9)
      caused by: RangeError: c
          at task (jobs/agg.ts:1:7)
  [3/4] AggregateError: inner
      at task (jobs/agg.ts:5:5)
    [1/1] thrown: null (null; not an Error, so no stack)
  [4/4] [7 more errors]
"""

The above exception was the direct cause of the following exception:

AggregateError: all failed
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test.each([
  ['string', "'x'", "job threw a string: 'x'"],
  ['null', 'null', 'job threw null'],
  ['undefined', 'undefined', 'job threw undefined'],
  ['number', '0', 'job threw a number: 0'],
  ['object', '{ a: 1 }', 'job threw an object: { a: 1 }'],
])('renders a thrown %s with its type', (typeName, preview, message) => {
  expect(render({ kind: 'error', error: thrown(typeName, preview) })).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
thrown: ${preview} (${typeName}; not an Error, so no stack)
"""

The above exception was the direct cause of the following exception:

NonErrorThrown: ${message}
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test.each([
  [{ signal: 'SIGKILL' }, 'was killed by SIGKILL after 1.2 s'],
  [{ exitCode: 5 }, 'exited with code 5 after 1.2 s'],
  [{ exitCode: 0 }, 'exited with code 0 before returning'],
  [{ exitCode: 1, afterMs: 12.3 }, 'exited with code 1 after 12 ms'],
  [{}, 'was lost after 1.2 s'],
  [{ kind: 'oom' as const, signal: 'SIGABRT' }, 'was killed by SIGABRT after 1.2 s (out of memory)'],
])('renders a crashed worker (%j) without a remote block', (how, text) => {
  expect(render({ kind: 'crash', ...crashed, ...how })).toBe(`
WorkerLostError: item 2 lost: worker 1 (pid 4131) ${text}
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test('shows where the job ended its process and the last stderr of a crashed worker', () => {
  const exitSite =
    'Error: process.exit(5)\n    at task (file:///home/ann/jobs/x.ts:4:3)\n    at run (file:///opt/poolrun/dist/worker.js:1:1)'
  const stderrTail = ['first', '\x1b[31mlast\x1b[0m']
  expect(render({ kind: 'crash', ...crashed, exitCode: 5, exitSite, stderrTail })).toBe(`
WorkerLostError: item 2 lost: worker 1 (pid 4131) exited with code 5 after 1.2 s
    at poolrun map jobs/fail2.ts (item 2: 2)
the job ended the process:
    at task (jobs/x.ts:4:3)
last stderr of worker 1:
    | first
    | last
`)
})

test('renders an uncaught error as the cause of a lost worker', () => {
  const escaped = error('Error', 'from a timer', 'late.ts:3:9')
  expect(render({ kind: 'crash', ...crashed, exitCode: 1, escaped })).toBe(`
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
Error: from a timer
    at task (jobs/late.ts:3:9)
"""

The above exception was the direct cause of the following exception:

WorkerLostError: item 2 lost: worker 1 (pid 4131) exited with code 1 after 1.2 s
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test.each<[Failure, string]>([
  [
    { kind: 'timeout', timeoutMs: 500, ended: 'killed' },
    'TimeoutError: item 2 exceeded 500 ms on worker 1 (pid 4131); the worker was killed',
  ],
  [
    { kind: 'timeout', timeoutMs: 2000, ended: 'killed' },
    'TimeoutError: item 2 exceeded 2 s on worker 1 (pid 4131); the worker was killed',
  ],
  [
    {
      kind: 'encoding',
      side: 'result',
      path: 'a.f',
      message: 'functions cannot be cloned',
      preview: '[Function: f]',
    },
    'ResultEncodingError: result of item 2 cannot be sent: a.f is [Function: f] (functions cannot be cloned)',
  ],
  [
    { kind: 'encoding', side: 'argument', path: '', message: 'no BigInt in JSON', preview: '10n' },
    'ArgumentEncodingError: argument of item 2 cannot be sent: it is 10n (no BigInt in JSON)',
  ],
  [
    { kind: 'input', message: 'Unexpected token x', at: 3 },
    'InputError: data.ndjson:3:4: item 2: Unexpected token x',
  ],
  [
    {
      kind: 'validation',
      issues: [
        { path: 'src', message: 'Required' },
        { path: '', message: 'too\x07 odd' },
      ],
    },
    "InputValidationError: item 2 does not fit the job's input:\n  src: Required\n  too\\x07 odd",
  ],
])('renders the failure %j as one message', (failure, text) => {
  expect(render(failure, { context: { ...CONTEXT, location: 'data.ndjson:3:4' } })).toBe(`
${text}
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

test('renders earlier attempts first, oldest first and numbered, each with its own cause', () => {
  const attempt = (attempts: number, failure: Failure): ItemFailure => ({
    ...{ offset: 2, workerId: attempts % 2, pid: 4130 + attempts, attempts },
    failure,
  })
  const escaped = error('Error', 'from a timer', 'a.ts:9:9')
  const earlier = [
    attempt(1, {
      kind: 'error',
      error: error('Error', 'refused \x1b[2J', 'a.ts:6:11', { cause: thrown('number', '0') }),
    }),
    attempt(2, { kind: 'timeout', timeoutMs: 1500, ended: 'killed' }),
    attempt(3, { kind: 'crash', ...crashed, signal: 'SIGKILL', stderrTail: ['last \x07 words'] }),
    attempt(4, { kind: 'crash', ...crashed, exitCode: 1, escaped }),
  ]
  const last = attempt(5, { kind: 'error', error: error('Error', 'gave up', 'a.ts:7:11') })
  expect(`\n${renderItemFailure(CONTEXT, { ...last, earlier }, OPTIONS)}\n`).toBe(`
attempt 1 of 5 failed:
RemoteTraceback: item 2, worker 1 (pid 4131)
"""
thrown: 0 (number; not an Error, so no stack)

The above exception was the direct cause of the following exception:

Error: refused \n    at task (jobs/a.ts:6:11)
"""

attempt 2 of 5 failed:
TimeoutError: item 2 exceeded 1.5 s on worker 0 (pid 4132); the worker was killed

attempt 3 of 5 failed:
WorkerLostError: item 2 lost: worker 1 (pid 4133) was killed by SIGKILL after 1.2 s
last stderr of worker 1:
    | last \\x07 words

attempt 4 of 5 failed:
RemoteTraceback: item 2, worker 0 (pid 4134), attempt 4
"""
Error: from a timer
    at task (jobs/a.ts:9:9)
"""

The above exception was the direct cause of the following exception:

WorkerLostError: item 2 lost: worker 0 (pid 4134) exited with code 1 after 1.2 s

attempt 5 of 5 failed:
RemoteTraceback: item 2, worker 1 (pid 4135), attempt 5
"""
Error: gave up
    at task (jobs/a.ts:7:11)
"""

The above exception was the direct cause of the following exception:

Error: gave up
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
})

describe('attempts that failed with the same text', () => {
  const attempt = (attempts: number, failure: Failure): ItemFailure => ({
    ...{ offset: 2, workerId: attempts % 2, pid: 4130 + attempts, attempts },
    failure,
  })
  const busy: Failure = { kind: 'error', error: error('Error', 'busy', 'a.ts:6:11') }
  const killed = (afterMs: number): Failure => ({ kind: 'crash', ...crashed, signal: 'SIGKILL', afterMs })
  const failed = (...failures: Failure[]) => {
    const attempts = failures.map((failure, i) => attempt(i + 1, failure))
    return { ...attempts.at(-1)!, earlier: attempts.slice(0, -1) }
  }
  const headings = (failure: ItemFailure) =>
    renderItemFailure(CONTEXT, failure, OPTIONS)
      .split('\n')
      .filter((line) => /^(failed|attempts?) /.test(line))

  test('are rendered once, with the last of them', () => {
    expect(`\n${renderItemFailure(CONTEXT, failed(busy, busy, busy, busy), OPTIONS)}\n`).toBe(`
failed 4 times, each with:
RemoteTraceback: item 2, worker 0 (pid 4134), attempt 4
"""
Error: busy
    at task (jobs/a.ts:6:11)
"""

The above exception was the direct cause of the following exception:

Error: busy
    at poolrun map jobs/fail2.ts (item 2: 2)
`)
  })

  test.each<[title: string, failure: ItemFailure, expected: string[]]>([
    ['in other workers, after another time', failed(killed(5), killed(900)), ['failed 2 times, each with:']],
    [
      'and others between them',
      failed(busy, busy, killed(5), busy, { kind: 'timeout', timeoutMs: 5 }),
      ['attempt 3 of 5 failed:', 'attempts 1–2, 4 of 5 failed, each with:', 'attempt 5 of 5 failed:'],
    ],
    [
      'and a first one with another text',
      failed(killed(5), busy, busy),
      ['attempt 1 of 3 failed:', 'attempts 2–3 of 3 failed, each with:'],
    ],
    [
      'as far as they are remembered',
      { ...failed(busy, busy), attempts: 500, earlier: [attempt(498, busy), attempt(499, busy)] },
      ['attempts 498–500 of 500 failed, each with:'],
    ],
  ])('%s', (_title, failure, expected) => {
    expect(headings(failure)).toEqual(expected)
  })

  test('of a flaky item are rendered once', () => {
    const attempts = [attempt(1, busy), attempt(2, busy)]
    expect(renderAttempts(CONTEXT, attempts, 3, OPTIONS)).toContain('attempts 1–2 of 3 failed, each with:')
  })
})

test('renders a cause that is a plain object as what it is, and not as thrown', () => {
  const cause = thrown('object', '{ status: 404 }')
  const text = render({ kind: 'error', error: error('Error', 'no photo', 'a.ts:1:1', { cause }) })
  expect(text).toContain(`"""
{ status: 404 }

The above exception was the direct cause of the following exception:

Error: no photo
`)
  expect(text).not.toContain('thrown')
  const errors = [thrown('array', "[ 'a' ]")]
  expect(render({ kind: 'error', error: error('AggregateError', 'x', 'a.ts:1:1', { errors }) })).toContain(
    "[1/1] [ 'a' ]\n",
  )
})

test('renders only the failed attempts of a flaky item', () => {
  const failure: Failure = { kind: 'timeout', timeoutMs: 500, ended: 'killed' }
  const failed = [{ offset: 2, failure, workerId: 1, pid: 4131, attempts: 1 }]
  expect(renderAttempts(CONTEXT, failed, 2, OPTIONS)).toBe(
    'attempt 1 of 2 failed:\nTimeoutError: item 2 exceeded 500 ms on worker 1 (pid 4131); the worker was killed',
  )
})

test('renders a failed initializer like an error, without an item', () => {
  const cause = makeRemoteTraceback(
    { subject: 'initializer', workerId: 0, pid: 4131 },
    error('Error', 'no database', 'init.ts:2:9'),
  )
  const poolError = new InitializerError(
    'initializer failed, pool is broken (1 worker started, 0 items run)',
    {
      cause,
    },
  )
  expect(renderPoolError({ command: 'poolrun map jobs/init.ts' }, poolError, OPTIONS)).toBe(
    `RemoteTraceback: initializer, worker 0 (pid 4131)
"""
Error: no database
    at task (jobs/init.ts:2:9)
"""

The above exception was the direct cause of the following exception:

InitializerError: initializer failed, pool is broken (1 worker started, 0 items run)
    at poolrun map jobs/init.ts`,
  )
})

test.each([new JobError('no export "x"'), new PoolBrokenError('no export "x"')])(
  'renders a $name without a remote side as its message and the command',
  (poolError) => {
    expect(renderPoolError({ command: 'poolrun map a.ts' }, poolError, OPTIONS)).toBe(
      `${poolError.name}: no export "x"\n    at poolrun map a.ts`,
    )
  },
)

test('renders what a callback threw, then the item it was called for', () => {
  const thrownByCallback = new TypeError('cannot print')
  thrownByCallback.stack = 'TypeError: cannot print\n    at callback (file:///home/ann/hooks.ts:3:9)'
  const callbackError = makeCallbackError('callback', 0, thrownByCallback, { result: 22 })
  expect(renderCallbackFailure({ ...CONTEXT, index: 0, item: '11' }, callbackError, OPTIONS)).toBe(
    `TypeError: cannot print
    at callback (hooks.ts:3:9)

The above exception was the direct cause of the following exception:

CallbackError: callback for item 0 threw; the task itself succeeded
    at poolrun map jobs/fail2.ts (item 0: 11)`,
  )
})

test('renders the failure first that a throwing errorCallback was called for', () => {
  const callbackError = makeCallbackError('errorCallback', 2, 'again', { error: new Error('m') })
  const failed = {
    offset: 2,
    failure: { kind: 'timeout', timeoutMs: 500, ended: 'killed' } as const,
    workerId: 1,
    pid: 4131,
    attempts: 1,
  }
  expect(renderCallbackFailure(CONTEXT, callbackError, OPTIONS, failed)).toBe(
    `TimeoutError: item 2 exceeded 500 ms on worker 1 (pid 4131); the worker was killed
    at poolrun map jobs/fail2.ts (item 2: 2)

During handling of the above exception, another exception occurred:

thrown: 'again' (string; not an Error, so no stack)

The above exception was the direct cause of the following exception:

CallbackError: errorCallback for item 2 threw; the task itself had failed
    at poolrun map jobs/fail2.ts (item 2: 2)`,
  )
})

test('makes all text from a job harmless on a terminal and in CI logs', () => {
  const hostile = '\x1b]0;owned\x07\r\n::error::x\u202e'
  const data = error(hostile, hostile, `\x1b[2J.ts:1:1`, {
    props: { hostile },
    cause: thrown('string', hostile),
  })
  const text = render(
    { kind: 'error', error: data },
    { context: { ...CONTEXT, item: hostile, command: hostile } },
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]|^\s*::/m)
})
