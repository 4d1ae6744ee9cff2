// What a failure looks like on stderr: the whole normalised text, since a fragment would hide what surrounds it.
import { describe, expect, it } from 'vitest'
import { normalise, occurrences } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const SENTENCE = 'The above exception was the direct cause of the following exception:'

async function stderrOf(args: readonly string[], input?: string) {
  const run = await runCli(args, input === undefined ? {} : { input })
  return normalise(run.stderr)
}

describe('a job that throws', () => {
  it('an Error: its remote frames in TypeScript, the connecting sentence, the local error, the summary line', async () => {
    expect(await stderrOf(['map', fixture('throws-error'), '-j', '1', '0', '1', '2'])).toBe(
      `RemoteTraceback: item 2, worker 0 (pid <pid>)
"""
Error: boom
    at task (test/fixtures/jobs/throws-error.ts:4:11)
"""

${SENTENCE}

Error: boom
    at poolrun map test/fixtures/jobs/throws-error.ts (item 2: 2)
poolrun map: item 2 failed, stopped (fail-fast): 2 ok, 1 failed
`,
    )
  })

  it('an error with causes, several errors, one of a subclass, or no Error: all of it, the oldest cause first, for each item of collect', async () => {
    const job = 'test/fixtures/jobs/throws-as-told.ts'
    const items = ['causes', 'several', 'subclass', 'string', 'null', 'undefined']
    const block = (index: number, remote: string, local: string) =>
      `RemoteTraceback: item ${index}, worker 0 (pid <pid>)
"""
${remote}
"""

${SENTENCE}

${local}
    at poolrun collect ${job} (item ${index}: "${items[index]}")
collect: item ${index} failed, skipped
`
    const expected = [
      block(
        0,
        `TypeError: the disk is full
    at read (${job}:7:9)
    at load (${job}:12:5)
    at lose (${job}:20:5)
    at task (${job}:33:26)

${SENTENCE}

RangeError: no such page
    at load (${job}:14:11)
    at lose (${job}:20:5)
    at task (${job}:33:26)

${SENTENCE}

Error: the book is lost
    at lose (${job}:22:11)
    at task (${job}:33:26)`,
        'Error: the book is lost',
      ),
      block(
        1,
        `AggregateError: no mirror answered
    at ask (${job}:29:9)
    at task (${job}:34:27)
  [1/2] Error: mirror a is down
      at ask (${job}:27:17)
      at task (${job}:34:27)
  [2/2] TypeError: mirror b is odd
      at ask (${job}:28:18)
      at task (${job}:34:27)
      caused by: RangeError: port 0
          at ask (${job}:28:60)
          at task (${job}:34:27)`,
        'AggregateError: no mirror answered',
      ),
      block(
        2,
        `QuotaError: quota spent
    at task (${job}:35:34)
  { code: 'E_QUOTA' }`,
        'QuotaError: quota spent',
      ),
      block(
        3,
        `thrown: 'boom' (string; not an Error, so no stack)`,
        "NonErrorThrown: job threw a string: 'boom'",
      ),
      block(4, 'thrown: null (null; not an Error, so no stack)', 'NonErrorThrown: job threw null'),
      block(
        5,
        'thrown: undefined (undefined; not an Error, so no stack)',
        'NonErrorThrown: job threw undefined',
      ),
      'poolrun collect: 0 ok, 6 failed (items 0, 1, 2, 3, 4, 5)\n',
    ]
    const args = ['collect', fixture('throws-as-told'), '-j', '1', ...items.map((item) => `"${item}"`)]
    expect(await stderrOf(args)).toBe(expected.slice(0, -1).join('\n') + expected.at(-1)!)
  })
})

describe('a worker that is lost', () => {
  it('has no remote block', async () => {
    expect(await stderrOf(['map', fixture('kills-self'), '-j', '1', '--chunk-size', '1'], '0\n1\n2\n')).toBe(
      `WorkerLostError: item 2 lost: worker 0 (pid <pid>) was killed by SIGKILL after <time>
    at poolrun map test/fixtures/jobs/kills-self.ts (item 2: 2)
poolrun map: item 2 failed, stopped (fail-fast): 2 ok, 1 failed
`,
    )
  })

  it('shows where the job called process.exit', async () => {
    const stderr = await stderrOf(['map', fixture('exits-42'), '-j', '1', '2'])
    expect(stderr).toContain(
      'WorkerLostError: item 0 lost: worker 0 (pid <pid>) exited with code 42 after <time>',
    )
    expect(stderr).toContain('test/fixtures/jobs/exits-42.ts:6:')
    expect(stderr).not.toContain('RemoteTraceback')
  })
})

describe('beyond tasks', () => {
  it('an initializer: the same shape, once', async () => {
    const stderr = await stderrOf(['map', fixture('initializer-throws'), '-j', '1', '0', '1'])
    expect(stderr).toMatch(
      /^RemoteTraceback: initializer, worker 0 \(pid <pid>\)\n"""\nError: no licence\n {4}at initializer \(test\/fixtures\/jobs\/initializer-throws\.ts:5:9\)\n"""\n\nThe above exception was the direct cause of the following exception:\n\nInitializerError: initializer failed, pool is broken \(.*\)\n/,
    )
  })

  it('a callback: its own error and stack, without quotes, then the item it was called for', async () => {
    const callbacks = fixture('callback-prints-then-throws')
    const args = ['map', fixture('identity'), '-j', '0', '--callbacks', callbacks, '{"a":2}']
    const stderr = await stderrOf(args)
    expect(stderr).toMatch(
      /^Error: Something bad happened in the callback!\n {4}at callback \(test\/fixtures\/jobs\/callback-prints-then-throws\.ts:4:9\)\n/m,
    )
    expect(stderr).toContain(
      `\n${SENTENCE}\n\nCallbackError: callback for item 0 threw; the task itself succeeded`,
    )
    expect(stderr).toContain('at poolrun map test/fixtures/jobs/identity.ts (item 0: {"a":2})')
    expect(stderr).not.toContain('RemoteTraceback')
  })

  it.each([
    ['a timer', 'setTimeout(() => { throw new RangeError("late") })'],
    ['a promise that nobody awaits', 'void Promise.reject(new RangeError("late"))'],
  ])('what --callbacks throws outside of a callback: in %s', async (_, body) => {
    const { dir, write, read } = tempSpace()
    write({
      'job.mjs': 'export default (x) => x',
      'hooks.mjs': `export async function callback() { ${body}; await new Promise((done) => setTimeout(done, 60_000)) }`,
    })
    const args = ['imap', 'job.mjs', '--callbacks', 'hooks.mjs', '--report', 'json=report.json', '1']
    const { stderr, exitCode } = await runCli(args, { cwd: dir })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^RangeError: late\n {4}at .*hooks\.mjs:/m)
    expect(stderr).toContain(
      `\n${SENTENCE}\n\nCallbackError: the module of --callbacks threw outside of its callbacks\n    at poolrun imap`,
    )
    expect(stderr).toMatch(/^poolrun imap: stopped: /m)
    expect(JSON.parse(read('report.json')).exitCode).toBe(1)
  })
})

it('keeps the frames of poolrun and of Node with --full-stack', async () => {
  const stderr = await stderrOf(['map', fixture('throws-error'), '-j', '1', '--full-stack', '2'])
  expect(stderr).toContain('    at task (test/fixtures/jobs/throws-error.ts:4:11)')
  // Without it, that and the one of poolrun's command line are all.
  expect(occurrences(stderr, '\n    at ')).toBeGreaterThan(2)
})
