// How a program that uses a pool exits: by itself, closed or not, and never with a process left behind.
import { expect, test } from 'vitest'
import { waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import { runShell, startShell } from '../../helpers/run-cli.js'

const script = (name: string, flags = '') =>
  `exec "$NODE" ${flags} test/e2e/pool/fixtures/scripts/${name}.mjs`

test('an idle pool lets the process exit, with one warning if it was never closed', async () => {
  const { stdout, stderr, exitCode } = await runShell(script('idle'))
  expect(stdout).toBe('[ 1, 4, 9 ]\n')
  expect(stderr.match(/PoolUnclosedWarning/g)).toHaveLength(1)
  expect(stderr).toContain('the pool for test/e2e/pool/fixtures/job.ts was never closed')
  expect(exitCode).toBe(0)
})

test('a closed pool causes no warning, and a failure that nobody looks at no unhandled rejection', async () => {
  const { stdout, stderr, exitCode } = await runShell(script('closed'))
  expect({ stdout, stderr, exitCode }).toEqual({ stdout: '[ 1, 4, 9 ]\n', stderr: '', exitCode: 0 })
})

test('node --watch, which asks its process to name what it loads, does not ask the workers', async () => {
  const { stdout, stderr } = await runShell(`export WATCH_REPORT_DEPENDENCIES=1; ${script('closed')}`)
  expect({ stdout, stderr }).toEqual({ stdout: '[ 1, 4, 9 ]\n', stderr: '' })
})

test('an abandoned iterator does not keep the process alive', async () => {
  const { stdout, exitCode } = await runShell(script('abandoned-iterator'))
  expect({ stdout, exitCode }).toEqual({ stdout: 'ended\n', exitCode: 0 })
})

test('a script that throws leaves no process behind', async () => {
  const { stderr, exitCode } = await runShell(script('throws'))
  expect(stderr).toContain('Error: the script failed')
  expect(exitCode).toBe(1)
})

test('GC of running pool: one warning, and its workers exit', async () => {
  const { stdout, exitCode } = await runShell(script('collected', '--expose-gc'))
  expect({ stdout, exitCode }).toEqual({ stdout: '[ 1, 4, 9 ]\nPoolUnclosedWarning 1\n', exitCode: 0 })
})

test('the pool keeps no argument and no result after handing it over', async () => {
  const { stdout } = await runShell(script('keeps-nothing', '--expose-gc'))
  expect(stdout).toBe('[ undefined, undefined ]\n')
})

test.for(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'Ctrl-C, parent SIGTERM / SIGKILL: %s of the parent ends its workers within 2 s, a busy one too',
  async (signal) => {
    const started = startShell(script('busy'))
    await printed(started.child.stdout, ['spinning', 'stubborn 1'])
    started.child.kill(signal)
    const { signal: endedBy } = await started.child
    expect(endedBy).toBe(signal)
    await waitUntilNoneLeft(started.mark, `the pool of a parent that got ${signal}`, 2_000)
  },
)

test('pickling a pool / nested pool: inner workers are killed with the outer ones', async () => {
  const started = startShell(script('nested'))
  await printed(started.child.stdout, ['inner stubborn 1'])
  started.child.kill('SIGKILL')
  await started.child
  await waitUntilNoneLeft(started.mark, 'a nested pool', 2_000)
})

async function printed(stdout: AsyncIterable<Uint8Array>, lines: readonly string[]): Promise<void> {
  let text = ''
  for await (const bytes of stdout) {
    text += bytes
    if (lines.every((line) => text.includes(`${line}\n`))) return
  }
  throw new Error(`ended without printing ${lines}: ${text}`)
}
