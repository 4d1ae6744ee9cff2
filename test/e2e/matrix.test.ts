// Policy × failure: what each command makes of a failed item. `collect` meets every kind of failure in one run, the
// commands that stop meet a thrown error, the loss of a worker and a bad line, and each other kind once.
import { expect, it } from 'vitest'
import { lastLine, normalise } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'

/** What the items that fail say, and what is told of them. */
const FAILURES = {
  throws: ['"throws"', 'Error: boom'],
  'throws something that is not an Error': [
    '"throws a string"',
    "NonErrorThrown: job threw a string: 'boom'",
  ],
  'has a result that JSON cannot carry': ['"returns a bigint"', 'ResultEncodingError: '],
  'has its worker killed': [
    '"is killed"',
    'WorkerLostError: item 2 lost: worker 0 (pid <pid>) was killed by SIGKILL after <time>',
  ],
  'has its worker exit': [
    '"exits"',
    'WorkerLostError: item 2 lost: worker 0 (pid <pid>) exited with code 42 after <time>',
  ],
  'throws outside its promise': ['"throws later"', 'escaped from a timer'],
} as const

const run = (command: string, items: readonly string[]) =>
  runCli([command, fixture('fails-in-many-ways'), '-j', '1', '--chunk-size', '1'], {
    input: `${items.join('\n')}\n`,
  })

const STOPPED =
  /^poolrun map: item 2 failed, stopped \(fail-fast\): \d ok, 1 failed(, \d cancelled while running \([^)]*\))?(, \d not run)?$/
const POLICIES = {
  map: { stdout: '', last: STOPPED },
  imap: { stdout: '0\n1\n', last: /^poolrun imap: item 2 failed\b/ },
  'imap-unordered': { stdout: '0\n1\n', last: /^poolrun imap-unordered: item 2 failed\b/ },
} as const

it.each<[command: keyof typeof POLICIES, failure: keyof typeof FAILURES]>([
  ['map', 'throws'],
  ['map', 'throws something that is not an Error'],
  ['map', 'has its worker killed'],
  ['imap', 'throws'],
  ['imap', 'has its worker exit'],
  ['imap', 'throws outside its promise'],
  ['imap-unordered', 'throws'],
  ['imap-unordered', 'has a result that JSON cannot carry'],
  ['imap-unordered', 'has its worker killed'],
])('%s ends with 1 at an item that %s', async (command, failure) => {
  const [item, message] = FAILURES[failure]
  const { stdout, stderr, exitCode } = await run(command, ['0', '1', item, '3', '4'])
  expect(stdout).toBe(POLICIES[command].stdout)
  expect(normalise(stderr)).toContain(message)
  expect(lastLine(stderr)).toMatch(POLICIES[command].last)
  expect(exitCode).toBe(1)
})

it.each(['map', 'imap', 'imap-unordered'] as const)(
  '%s ends with 4 at a line that does not parse',
  async (command) => {
    const { stdout, stderr, exitCode } = await run(command, ['0', '1', '{bad', '3', '4'])
    expect(stdout).toBe(POLICIES[command].stdout)
    expect(stderr).toContain('<stdin>:3:2')
    expect(exitCode).toBe(4)
  },
)

it('collect goes on after an item that fails in any of these ways, and after a line that does not parse, and ends with 3', async () => {
  const failures = Object.values(FAILURES)
  const items = failures.flatMap(([item], i) => [`${i}`, item])
  const { stdout, stderr, exitCode } = await run('collect', [...items, '{bad', '6'])
  expect(stdout).toBe('0\n1\n2\n3\n4\n5\n6\n')
  for (const [index, [, message]] of failures.entries())
    expect(normalise(stderr)).toContain(message.replace('item 2', `item ${2 * index + 1}`))
  expect(stderr).toContain('<stdin>:13:2')
  expect(lastLine(stderr)).toBe('poolrun collect: 7 ok, 7 failed (items 1, 3, 5, 7, 9, 11, 12)')
  expect(exitCode).toBe(3)
})
