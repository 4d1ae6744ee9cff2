// `--processes 0`: the job runs in poolrun's own process, with the output and the policies of any other run.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { lastLine } from '../helpers/normalise.js'
import { runCli, runShell, watchCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'
import { failuresIn } from './reliability/support.js'

const JOB = `
import { currentTask, type TaskContext } from 'poolrun'
export function finalizer() { console.log('finalized') }
export const pid = () => process.ppid + ':' + process.env.POOLRUN_WORKER_ID + ':' + process.env.EXTRA
export const prints = (n: number) => { console.log('out', n); process.stderr.write('err\\n'); return n }
export const fails = (n: number) => { if (n === 2) throw new RangeError('two'); return n }
export const flaky = (n: number, { attempt }: TaskContext) => { if (attempt < 3) throw new Error('again'); return attempt }
const exits = () => process.exit(5)
const swallows = () => { try { process.exit(5) } catch {} }
const later = async () => {
  setImmediate(() => { throw new TypeError('escaped') })
  await new Promise(() => {})
}
export const ways = async (way: unknown) => {
  if (way === 'fails') fails(2)
  if (way === 'exits') exits()
  if (way === 'swallows') swallows()
  if (way === 'later') await later()
  return way
}
export const slow = async (n: number) => { if (n === 2) await new Promise(() => {}); return n }
export const throwsLate = (n: number, { attempt }: TaskContext) => {
  if (attempt === 2) return n
  setTimeout(() => { throw new TypeError('too late') }, 300)
  return new Promise(() => {})
}
export const hangs = () => { console.log('begun'); return new Promise(() => {}) }
export const reads = async (n: number) => { let text = ''; for await (const part of process.stdin) text += part; return [n, text] }
export const late = (n: number, { signal }: TaskContext) => {
  if (n === 2) return new Promise(() => {})
  return n === 4 ? new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason))) : n
}
`

let job: string
beforeAll(() => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'poolrun-test-'))
  job = join(folder, 'job.ts')
  writeFileSync(job, JOB)
  return () => rmSync(folder, { recursive: true })
})

const run = ([command, name, ...rest]: readonly string[]) =>
  runCli([command!, `${job}#${name}`, '-j', '0', ...rest])

it('runs in the process of poolrun, with the environment of a worker, and says so', async () => {
  const { stdout, stderr, exitCode } = await run(['map', 'pid', '--env', 'EXTRA=1', 'x'])
  expect(stdout).toBe(`"${process.pid}:0:1"\n`)
  expect(stderr).toContain('--processes 0 runs items one by one in this process')
  expect(stderr).toContain('finalized')
  expect(exitCode).toBe(0)
})

it('keeps what the job prints off stdout', async () => {
  const { stdout, stderr } = await run(['map', 'prints', '--tag', '1'])
  expect(stdout).toBe('1\n')
  expect(stderr).toContain('[#0 w0] out 1\n')
  expect(stderr).toContain('[#0 w0] err\n')
})

it('loses only its item to an error, to process.exit, also where the job goes on, and to an error outside its promise', async () => {
  const ways = ['fails', 'exits', 'swallows', 'later']
  const { stdout, stderr, exitCode } = await run(['collect', 'ways', ...ways.flatMap((way) => [way, 'ok'])])
  expect(stdout).toBe('"ok"\n'.repeat(4))
  const failures = failuresIn(stderr)
  expect([...failures.keys()]).toEqual([0, 2, 4, 6])
  // The same traceback and location as from a worker.
  expect(failures.get(0)).toMatch(/RangeError: two\n {4}at fails \(.*job\.ts:6:\d+\)\n {4}at ways .*\n"""/)
  for (const [item, name, line] of [
    [2, 'exits', 8],
    [4, 'swallows', 9],
  ] as const) {
    expect(failures.get(item)).toContain('exited with code 5')
    expect(failures.get(item)).toMatch(new RegExp(`at ${name} \\(.*job\\.ts:${line}:`))
  }
  expect(failures.get(6)).toContain('TypeError: escaped')
  expect(lastLine(stderr)).toBe('poolrun collect: 4 ok, 4 failed (items 0, 2, 4, 6)')
  expect(exitCode).toBe(3)
})

it('retries', async () => {
  expect((await run(['map', 'flaky', '--retries', '2', '1'])).stdout).toBe('3\n')
})

it('fails a late item, also where it obeys its signal, and goes on', async () => {
  const limits = ['--timeout', '200ms', '--kill-after', '100ms']
  const { stdout, stderr } = await run(['collect', 'late', ...limits, '1', '2', '3', '4', '5'])
  expect(stdout).toBe('1\n3\n5\n')
  for (const item of [1, 3]) expect(stderr).toContain(`TimeoutError: item ${item} exceeded 200 ms`)
})

it('stops at the first failure of map', async () => {
  const { stdout, exitCode } = await run(['map', 'fails', '1', '2', '3'])
  expect(stdout).toBe('')
  expect(exitCode).toBe(1)
})

it('gives the job an empty stdin and keeps the items', async () => {
  expect((await runCli(['map', `${job}#reads`, '-j', '0'], { input: '1\n2\n' })).stdout).toBe(
    '[1,""]\n[2,""]\n',
  )
  const shell = `poolrun map '${job}#reads' -j 0 < items`
  const space = tempSpace()
  space.write({ items: '1\n2\n' })
  expect((await runShell(shell, { cwd: space.dir })).stdout).toBe('[1,""]\n[2,""]\n')
})

it('waits for an item that nothing keeps alive, until the deadline', async () => {
  const { stdout, exitCode } = await run(['collect', 'slow', '--deadline', '500ms', '1', '2', '3'])
  expect(stdout).toBe('1\n')
  expect(exitCode).toBe(124)
})

it('ends by the second signal while an item runs', async () => {
  const watched = watchCli(['collect', `${job}#hangs`, '-j', '0', '1'])
  await watched.printed(/begun/)
  watched.child.kill('SIGINT')
  await watched.printed(/SIGINT/)
  watched.child.kill('SIGINT')
  expect((await watched.ended()).signal).toBe('SIGINT')
})

it('warns of an error in what a late item left running', async () => {
  const limits = ['--timeout', '100ms', '--kill-after', '50ms', '--retries', '1', '--retry-delay', '2s']
  const { stdout, stderr } = await run(['collect', 'throwsLate', ...limits, '2'])
  expect(stdout).toBe('2\n')
  expect(stderr).toContain('TypeError: too late')
})

it('runs an expression', async () => {
  expect((await runCli(['map', '-j', '0', '-e', 'n => n * 2', '1', '2'])).stdout).toBe('2\n4\n')
})

it('reports a job that does not load with exit code 5', async () => {
  const { stderr, exitCode } = await run(['map', 'missing', '1'])
  expect(stderr).toContain("has no export 'missing'")
  expect(exitCode).toBe(5)
})
