// Policy × failure: the outcome of each command for each way in which an item can fail.
import { describe, expect, it } from 'vitest'
import { lastLine, normalise } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'

const GOOD = '0\n1\n2\n3\n4\n'

/** Each fails item 2 of five. */
const FAILURES = {
  throws: { job: 'throws-error', input: GOOD, message: 'Error: boom' },
  'throws something that is not an Error': {
    job: 'throws-string',
    input: GOOD,
    message: "NonErrorThrown: job threw a string: 'boom'",
  },
  'a result JSON cannot carry': { job: 'returns-bigint', input: GOOD, message: 'ResultEncodingError: ' },
  'its worker is killed': {
    job: 'kills-self',
    input: GOOD,
    message: 'WorkerLostError: item 2 lost: worker 0 (pid <pid>) was killed by SIGKILL after <time>',
  },
  'its worker exits': {
    job: 'exits-42',
    input: GOOD,
    message: 'WorkerLostError: item 2 lost: worker 0 (pid <pid>) exited with code 42 after <time>',
  },
  'it throws outside its promise': { job: 'throws-later', input: GOOD, message: 'escaped from a timer' },
  'a line that does not parse': { job: 'identity', input: '0\n1\n{bad\n3\n4\n', message: '<stdin>:3:2' },
} as const

const STOPPED =
  /^poolrun map: item 2 failed, stopped \(fail-fast\): \d ok, 1 failed(, \d cancelled while running \([^)]*\))?(, \d not run)?$/
const POLICIES = {
  map: { stdout: '', exitCode: 1, last: STOPPED },
  imap: { stdout: '0\n1\n', exitCode: 1, last: /^poolrun imap: item 2 failed\b/ },
  'imap-unordered': { stdout: '0\n1\n', exitCode: 1, last: /^poolrun imap-unordered: item 2 failed\b/ },
  collect: { stdout: '0\n1\n3\n4\n', exitCode: 3, last: /^poolrun collect: 4 ok, 1 failed \(item 2\)$/ },
} as const

describe.each(Object.entries(POLICIES))('%s', (command, policy) => {
  it.each(Object.entries(FAILURES))('item 2: %s', async (name, failure) => {
    const run = await runCli([command, fixture(failure.job), '-j', '1', '--chunk-size', '1'], {
      input: failure.input,
    })
    // Malformed input ends every command but `collect` with an input error.
    const isInputError = name === 'a line that does not parse' && command !== 'collect'
    expect(run.stdout).toBe(policy.stdout)
    expect(normalise(run.stderr)).toContain(failure.message)
    if (!isInputError) expect(lastLine(run.stderr)).toMatch(policy.last)
    expect(run.exitCode).toBe(isInputError ? 4 : policy.exitCode)
  })
})
