// A run that ends before its input does: what had settled is written, over the gaps, and the numbers agree.
import { existsSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lastLine } from '../../helpers/normalise.js'
import { type CliResult, runCli, watchCli } from '../../helpers/run-cli.js'
import { type TempSpace, tempSpace } from '../../helpers/temp-space.js'

const JOB = `export default async (n) => {
  await new Promise((resolve) => setTimeout(resolve, n === 3 ? 60_000 : 30))
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
  const args = (command: string) => [command, space.path('job.mjs'), '-j', '2', '--chunk-size', '1', '-v']
  const files = ['--errors', space.path('errors'), '--report', `json=${space.path('report.json')}`]
  return { ...space, args, files }
}

const values = (text: string) => text.split('\n').filter(Boolean).map(Number)
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

const numbers = NUMBERS.map(String)

/** Ends by two signals once the last item has settled. */
async function killedByTwoSignals(args: readonly string[]): Promise<CliResult> {
  const run = watchCli([...args, ...numbers])
  await run.printed(/item 19 ok/)
  process.kill(run.child.pid!, 'SIGTERM')
  await run.printed(/interrupted by SIGTERM/)
  process.kill(run.child.pid!, 'SIGTERM')
  const result = await run.ended()
  expect(result.signal).toBe('SIGTERM')
  return result
}

/** Ends long after the last item has settled. */
async function endedByDeadline(args: readonly string[]): Promise<CliResult> {
  const result = await runCli([...args, '--deadline', '5s', ...numbers])
  expect(result.exitCode).toBe(124)
  return result
}

/** A run of `collect` with all its files, which has written these numbers. */
function expectToAgree({ stderr }: CliResult, written: readonly number[], { read }: TempSpace) {
  expect(written).toEqual(sorted(written))
  expect(written).toContain(20)
  expect(written).toHaveLength(countedIn(stderr, 'ok'))
  const errors = read('errors').trim().split('\n')
  const failed = errors.map((line) => JSON.parse(line)).filter(({ status }) => status !== 'cancelled')
  expect(failed.map(({ index }) => index)).toEqual([11, 14])
  expect(lastLine(stderr)).toContain('2 failed (items 11, 14)')
  const { counts } = JSON.parse(read('report.json'))
  expect(counts).toMatchObject({ ok: written.length, failed: 2 })
}

describe('a second signal', () => {
  it('writes what collect has settled, in order, and counts, errors and report agree', async () => {
    const space = folder()
    const result = await killedByTwoSignals([...space.args('collect'), ...space.files])
    expectToAgree(result, values(result.stdout), space)
  })

  it('writes all that collect --unordered has settled, as whole JSON', async () => {
    const args = [...folder().args('collect'), '--unordered', '--format', 'json']
    const { stdout, stderr } = await killedByTwoSignals(args)
    expect(JSON.parse(stdout)).toContain(20)
    expect(JSON.parse(stdout)).toHaveLength(countedIn(stderr, 'ok'))
  })

  it('writes nothing of map', async () => {
    const { args, write } = folder()
    write({ 'job.mjs': JOB.replace('n === 12 || n === 15', 'false') })
    const { stdout, stderr } = await killedByTwoSignals(args('map'))
    expect(stdout).toBe('')
    expect(countedIn(stderr, 'ok')).toBeGreaterThan(0)
  })
})

describe.each([
  { how: 'a second signal', end: killedByTwoSignals },
  { how: 'the deadline', end: endedByDeadline },
])('$how', ({ end }) => {
  it('writes what imap has settled up to the first failed item, and shows every failure', async () => {
    const { stdout, stderr } = await end(folder().args('imap'))
    const written = values(stdout)
    expect(written).toContain(10)
    expect(written).toEqual(sorted(written.filter((n) => n < 12)))
    expect(stderr).toContain('Error: no 12')
    expect(stderr).toContain('Error: no 15')
  })
})

it('--max-failures writes what had settled, over the item that was cancelled', async () => {
  const { args } = folder()
  const options = ['--max-failures', '2', '--kill-after', '300ms']
  const { stdout, stderr, exitCode } = await runCli([...args('collect'), ...options, ...numbers])
  expect(exitCode).toBe(3)
  expect(values(stdout)).toContain(13)
  expect(values(stdout)).toHaveLength(countedIn(stderr, 'ok'))
})

describe('--keep-partial', () => {
  it('keeps what collect wrote before the deadline as FILE.partial, whole JSON, leaves FILE as it was, and counts, errors and report agree', async () => {
    const space = folder()
    space.write({ out: 'before' })
    const output = ['-o', space.path('out'), '--keep-partial', '--format', 'json']
    const result = await endedByDeadline([...space.args('collect'), ...output, ...space.files])
    expect(space.read('out')).toBe('before')
    expectToAgree(result, JSON.parse(space.read('out.partial')), space)
  })

  it('keeps what imap wrote before its failed item, and nothing of map', async () => {
    const { args, path, read } = folder()
    const options = ['-o', path('out'), '--keep-partial', '1', '2', '12', '4']
    expect((await runCli([...args('imap'), '-j', '1', ...options])).exitCode).toBe(1)
    expect([read('out.partial'), existsSync(path('out'))]).toEqual(['1\n2\n', false])
    rmSync(path('out.partial'))
    expect((await runCli([...args('map'), '-j', '0', ...options])).exitCode).toBe(1)
    expect(existsSync(path('out.partial'))).toBe(false)
  })
})
