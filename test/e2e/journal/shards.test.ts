// The shards of a run with their journals, one of which is killed and resumed, and what `poolrun merge` makes of them.
import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { type CliResult, runCli, startCli } from '../../helpers/run-cli.js'
import { type TempSpace, tempSpace } from '../../helpers/temp-space.js'

const JOB = `export default async (n) => {
  if (n > 100 && process.env.SLOW === '1') await new Promise((resolve) => setTimeout(resolve, 60_000))
  if (n % 13 === 5) throw new RangeError('bad ' + n)
  return n * n
}`
const numbers = Array.from({ length: 110 }, (_, n) => `${n}\n`).join('')

function projectWith(job: string, items: string, name = 'items.ndjson') {
  const space = tempSpace()
  space.write({ 'job.mjs': job, [name]: items })
  const args = [space.path('job.mjs'), '-i', space.path(name)]
  const journals = [1, 2, 3].map((m) => space.path(`shard-${m}.ndjson`))
  const shard = (command: string, m: number, more: readonly string[] = []) => [
    command,
    ...args,
    ...['--shard', `${m}/3`, '--journal', journals[m - 1]!, ...more],
  ]
  return { space, args, journals, shard }
}

/** Without pids, workers and times. */
function withoutWorkers(text: string): string {
  return text.replaceAll(/worker \d+ \(pid \d+\)/g, 'worker W').replaceAll('poolrun merge', 'poolrun collect')
}

/** The blocks of failures, whose order is that in which items have failed. */
function blocksOf({ stderr }: CliResult): string[] {
  return withoutWorkers(stderr)
    .split('\n\nRemote')
    .join('\nRemote')
    .split(/(?=RemoteTraceback)/)
    .map((block) => block.trim())
    .sort()
}

const errorLines = (space: TempSpace, name: string) =>
  space
    .read(name)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .sort((a, b) => a.index - b.index)

test('three shards, one of them without a worker and one killed and resumed, are the whole run once they are merged', async () => {
  const { space, args, journals, shard } = projectWith(JOB, numbers)
  const killed = startCli(shard('collect', 2), { env: { SLOW: '1' } })
  await eventually('most of the shard to settle', () =>
    (statSync(journals[1]!, { throwIfNoEntry: false })?.size ?? 0) > 2000 ? true : undefined,
  )
  killed.child.kill('SIGKILL')
  await Promise.all([killed.ended(), runCli(shard('collect', 1)), runCli(shard('collect', 3, ['-j', '0']))])
  const early = await runCli(['merge', ...journals])
  expect(early).toMatchObject({
    exitCode: 4,
    stdout: '',
    stderr: expect.stringContaining('shard-2.ndjson is not complete'),
  })
  await runCli(shard('collect', 2, ['--resume']))
  const reports = (name: string) => [
    '--errors',
    space.path(`${name}-errors`),
    '--report',
    `json=${space.path(`${name}.json`)}`,
  ]
  const [whole, merged] = await Promise.all([
    runCli(['collect', ...args, ...reports('whole')]),
    // In any order.
    runCli(['merge', ...journals.toReversed(), ...reports('merged')]),
  ])
  expect(merged.stdout).toBe(whole.stdout)
  expect(merged.exitCode).toBe(3)
  expect(blocksOf(merged).length).toBe(blocksOf(whole).length)
  expect(merged.stderr.trimEnd().split('\n').at(-1)).toBe(whole.stderr.trimEnd().split('\n').at(-1))
  expect(errorLines(space, 'merged-errors')).toEqual(errorLines(space, 'whole-errors'))
  const report = (name: string) => {
    const { summaryLine, exitCode, attempts } = JSON.parse(space.read(`${name}.json`))
    const items = attempts.map(({ index, item, status }: { index: number; item: string; status: string }) => [
      index,
      item,
      status,
    ])
    return { summaryLine, exitCode, items: items.sort((a: [number], b: [number]) => a[0] - b[0]) }
  }
  expect(report('merged')).toEqual(report('whole'))
})
