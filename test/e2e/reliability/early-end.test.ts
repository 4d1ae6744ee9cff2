// A run that ends before its input does: what had settled is written, over the gaps, and the numbers agree.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { type CliResult, runCli, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const JOB = `export default async (n) => {
  await new Promise((resolve) => setTimeout(resolve, n === 3 ? 60_000 : 50))
  if (n === 12 || n === 15) throw new Error('no ' + n)
  return n
}`
/** The 3 never ends; 12 and 15, which are items 11 and 14, fail. */
const NUMBERS = Array.from({ length: 20 }, (_, i) => i + 1)

/** As the summary line counts them. */
const countedIn = (stderr: string, what: 'ok' | 'failed') =>
  Number(new RegExp(`(\\d+) ${what}`).exec(lastLine(stderr) ?? '')?.[1])

function folder() {
  const space = tempSpace()
  space.write({ 'job.mjs': JOB })
  const args = (command: string) => [command, space.path('job.mjs'), '-j', '4', '--chunk-size', '1', '-v']
  return { ...space, args }
}

const values = (text: string) => text.split('\n').filter(Boolean).map(Number)
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

/** Ends by two signals once the last item has settled. */
async function killedByTwoSignals(args: readonly string[]): Promise<CliResult> {
  const run = watchCli([...args, ...NUMBERS.map(String)])
  await run.printed(/item 19 ok/)
  process.kill(run.child.pid!, 'SIGTERM')
  await run.printed(/interrupted by SIGTERM/)
  process.kill(run.child.pid!, 'SIGTERM')
  return run.ended()
}

describe.each([
  { how: 'a second signal', end: killedByTwoSignals, ended: { signal: 'SIGTERM' } },
  {
    how: 'the deadline',
    end: (args: readonly string[]) => runCli([...args, '--deadline', '4s', ...NUMBERS.map(String)]),
    ended: { exitCode: 124 },
  },
])('$how', ({ end, ended }) => {
  it('writes what collect has settled, in order, and counts, errors and report agree', async () => {
    const { args, path, read } = folder()
    const report = path('report.json')
    const files = ['--errors', path('errors'), '--report', `json=${report}`]
    const result = await end([...args('collect'), ...files])
    expect(result).toMatchObject(ended)
    const written = values(result.stdout)
    expect(written).toEqual(sorted(written))
    expect(written).toContain(20)
    expect(written).toHaveLength(countedIn(result.stderr, 'ok'))
    const errors = read('errors').trim().split('\n')
    const failed = errors.map((line) => JSON.parse(line)).filter(({ status }) => status !== 'cancelled')
    expect(failed.map(({ index }) => index)).toEqual([11, 14])
    expect(lastLine(result.stderr)).toContain('2 failed (items 11, 14)')
    const { counts } = JSON.parse(readFileSync(report, 'utf8'))
    expect(counts).toMatchObject({ ok: written.length, failed: 2 })
  })

  it('writes what imap has settled up to the first failed item, and shows every failure', async () => {
    const { stdout, stderr } = await end(folder().args('imap'))
    const written = values(stdout)
    expect(written).toContain(10)
    expect(written).toEqual(sorted(written.filter((n) => n < 12)))
    expect(stderr).toContain('Error: no 12')
    expect(stderr).toContain('Error: no 15')
  })

  it('writes all that collect --unordered has settled, as whole JSON', async () => {
    const { stdout, stderr } = await end([...folder().args('collect'), '--unordered', '--format', 'json'])
    expect(JSON.parse(stdout)).toContain(20)
    expect(JSON.parse(stdout)).toHaveLength(countedIn(stderr, 'ok'))
  })

  it('writes nothing of map', async () => {
    const { args, write } = folder()
    write({ 'job.mjs': JOB.replace('n === 12 || n === 15', 'false') })
    expect((await end(args('map'))).stdout).toBe('')
  })
})

it('--max-failures writes what had settled, over the item that was cancelled', async () => {
  const { args } = folder()
  const numbers = NUMBERS.map(String)
  const { stdout, stderr, exitCode } = await runCli([...args('collect'), '--max-failures', '2', ...numbers])
  expect(exitCode).toBe(3)
  expect(values(stdout)).toContain(13)
  expect(values(stdout)).toHaveLength(countedIn(stderr, 'ok'))
})

describe('--keep-partial', () => {
  it('keeps what was written before the deadline as FILE.partial, whole JSON, and leaves FILE as it was', async () => {
    const { args, path, read, write } = folder()
    write({ out: 'before' })
    const options = ['-o', path('out'), '--keep-partial', '--format', 'json', '--deadline', '4s']
    const { stderr, exitCode } = await runCli([...args('collect'), ...options, ...NUMBERS.map(String)])
    expect(exitCode).toBe(124)
    expect(read('out')).toBe('before')
    expect(JSON.parse(read('out.partial'))).toHaveLength(countedIn(stderr, 'ok'))
  })

  it('keeps what imap wrote before its failed item, and nothing of map', async () => {
    const { args, path, read } = folder()
    const options = ['-o', path('out'), '--keep-partial', '1', '2', '12', '4']
    expect((await runCli([...args('imap'), ...options])).exitCode).toBe(1)
    expect([read('out.partial'), existsSync(path('out'))]).toEqual(['1\n2\n', false])
    rmSync(path('out.partial'))
    expect((await runCli([...args('map'), ...options])).exitCode).toBe(1)
    expect(existsSync(path('out.partial'))).toBe(false)
  })
})
