// What a failure looks like on stderr: the whole normalised text, since a fragment would hide what surrounds it.
import { describe, expect, it } from 'vitest'
import { normalise, occurrences } from '../helpers/normalise.js'
import { fixture, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const SENTENCE = 'The above exception was the direct cause of the following exception:'
const STOPPED = 'item 0 failed, stopped (fail-fast): 0 ok, 1 failed'

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

  it('an error with causes: the whole chain, the oldest first', async () => {
    expect(await stderrOf(['map', fixture('throws-cause-chain'), '-j', '1', '"x"'])).toBe(
      `RemoteTraceback: item 0, worker 0 (pid <pid>)
"""
TypeError: the disk is full
    at read (test/fixtures/jobs/throws-cause-chain.ts:3:9)
    at load (test/fixtures/jobs/throws-cause-chain.ts:8:5)
    at task (test/fixtures/jobs/throws-cause-chain.ts:16:5)

${SENTENCE}

RangeError: no such page
    at load (test/fixtures/jobs/throws-cause-chain.ts:10:11)
    at task (test/fixtures/jobs/throws-cause-chain.ts:16:5)

${SENTENCE}

Error: the book is lost
    at task (test/fixtures/jobs/throws-cause-chain.ts:18:11)
"""

${SENTENCE}

Error: the book is lost
    at poolrun map test/fixtures/jobs/throws-cause-chain.ts (item 0: "x")
poolrun map: ${STOPPED}
`,
    )
  })

  it('an AggregateError: each inner error, numbered and indented, with its cause', async () => {
    const stderr = await stderrOf(['map', fixture('throws-aggregate'), '-j', '1', '0'])
    const location = (line: number) => `test/fixtures/jobs/throws-aggregate\\.ts:${line}:\\d+`
    expect(stderr).toMatch(
      new RegExp(
        [
          '^AggregateError: no mirror answered.*',
          ` {4}at task \\(${location(5)}\\)`,
          ' {2}\\[1/2\\] Error: mirror a is down',
          ` {6}at task \\(${location(3)}\\)`,
          ' {2}\\[2/2\\] TypeError: mirror b is odd',
          ` {6}at task \\(${location(4)}\\)`,
        ].join('\n'),
        'm',
      ),
    )
    expect(stderr).toContain('RangeError: port 0')
  })

  it.each([
    ['throws-string', '2', "'boom'", 'string', "NonErrorThrown: job threw a string: 'boom'"],
    ['throws-null', '0', 'null', 'null', 'NonErrorThrown: job threw '],
    ['throws-undefined', '0', 'undefined', 'undefined', 'NonErrorThrown: job threw '],
  ])('something that is not an Error (%s)', async (job, item, preview, type, local) => {
    const stderr = await stderrOf(['map', fixture(job), '-j', '1', item])
    const [head, tail] = stderr.split(local)
    expect(head).toBe(
      `RemoteTraceback: item 0, worker 0 (pid <pid>)
"""
thrown: ${preview} (${type}; not an Error, so no stack)
"""

${SENTENCE}

`,
    )
    expect(tail).toContain(
      `\n    at poolrun map ${fixture(job)} (item 0: ${item})\npoolrun map: ${STOPPED}\n`,
    )
  })

  it('a subclass without a name of its own keeps its class name', async () => {
    const stderr = await stderrOf(['map', fixture('throws-subclass-with-props'), '-j', '1', '0'])
    expect(occurrences(stderr, '\nQuotaError: quota spent\n')).toBe(2)
    expect(stderr).toContain('at task (test/fixtures/jobs/throws-subclass-with-props.ts:8:9)')
  })

  it('control characters: none is printed', async () => {
    const stderr = await stderrOf(['map', fixture('throws-control-characters'), '-j', '1', '0'])
    expect(stderr).toContain('cleared')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
    expect(stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
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

  it('a callback for a result: names the item', async () => {
    const callbacks = fixture('callback-prints-then-throws')
    const stderr = await stderrOf(['map', fixture('identity'), '--callbacks', callbacks, '{"a":2}'])
    expect(stderr).toContain('at poolrun map test/fixtures/jobs/identity.ts (item 0: {"a":2})')
  })

  it('a callback: its own error and stack, without quotes, then the item it was called for', async () => {
    const callbacks = fixture('callback-prints-then-throws')
    const stderr = await stderrOf(['apply', fixture('identity'), '--callbacks', callbacks, '22'])
    expect(stderr).toMatch(
      /^Error: Something bad happened in the callback!\n {4}at callback \(test\/fixtures\/jobs\/callback-prints-then-throws\.ts:4:9\)\n/m,
    )
    expect(stderr).toContain(
      `\n${SENTENCE}\n\nCallbackError: callback for item 0 threw; the task itself succeeded`,
    )
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
  const args = ['map', fixture('throws-error'), '-j', '1', '2']
  const [short, full] = [await stderrOf(args), await stderrOf([...args, '--full-stack'])]
  expect(occurrences(full, '\n    at ')).toBeGreaterThan(occurrences(short, '\n    at '))
  expect(full).toContain('    at task (test/fixtures/jobs/throws-error.ts:4:11)')
})
