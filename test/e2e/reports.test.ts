// `--report`: files about a run for other programs, however the run ended.
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { broken, fixture, lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const numbers = lines(0, 1, 2, 3, 4)
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

type Case = [name: string | undefined, children: unknown[]]

/** The test cases with the children of each: their names and types. Strict: the parser stops at the first error. */
function parseXml(path: string): Case[] {
  const cases: Case[] = []
  let open: Case | undefined
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    open?.[1].push([name, attributes.type])
    if (name !== 'testcase') return
    open = [attributes.name, []]
    cases.push(open)
  })
  parser.on('closetag', ({ name }) => {
    if (name === 'testcase') open = undefined
  })
  parser.write(readFileSync(path, 'utf8')).close()
  return cases
}

const EVIL = ']]> <b>&amp; \\u0000 \\u001b[31m \\ud800 \\uffff <![CDATA[ "\\\'>'
const JOB = `export default (n) => {
  if (n === 2) throw new Error('boom ${EVIL}')
  return n === 3 ? new Promise(() => {}) : n
}`

describe('of a run with failures', () => {
  it('the JSON report has counts, workers, attempts with their times, and failures, and JUnit a test case per item', async () => {
    const { dir, path, write } = tempSpace()
    const args = ['collect', write({ 'job.mjs': JOB }), '--timeout', '1s', '--kill-after', '200ms']
    const reports = ['--report', `json=${path('r.json')}`, '--report', `junit=${path('r.xml')}`]
    const run = await runCli([...args, ...reports], { input: numbers })
    const report = json(path('r.json'))
    expect(report).toMatchObject({
      schema: 'poolrun-report/1',
      command: 'collect',
      exitCode: 3,
      signal: null,
      verdict: 'poolrun collect: 3 ok, 2 failed (items 2, 3)',
      counts: { ok: 3, failed: 2, flaky: 0, notRun: 0, inputReadToEnd: true },
    })
    expect(report.attempts).toHaveLength(5)
    for (const { startedAt, ms } of report.attempts) {
      expect(startedAt).toBeGreaterThanOrEqual(report.startedAt)
      expect(startedAt + ms).toBeLessThanOrEqual(report.endedAt + 1)
    }
    expect(report.failures).toMatchObject([
      { index: 2, kind: 'error', item: '2', message: expect.stringContaining('boom ]]> <b>&amp; ') },
      { index: 3, kind: 'timeout', item: '3' },
    ])
    expect(report.failures[0].place.file).toMatch(/job\.mjs$/)
    expect(report.workers.length).toBeGreaterThan(0)
    expect(run.stderr.trimEnd().split('\n').at(-1)).toBe(report.verdict)
    expect(readdirSync(dir).sort()).toEqual(['job.mjs', 'r.json', 'r.xml'])
    // Well-formed, whatever a job throws. A timeout is an error, what a job throws a failure.
    expect(parseXml(path('r.xml')).slice(-5)).toEqual([
      ['item 0: 0', []],
      ['item 1: 1', []],
      ['item 2: 2', [['failure', 'error']]],
      ['item 3: 3', [['error', 'timeout']]],
      ['item 4: 4', []],
    ])
  })

  it('the JSON report and the trace have retried attempts and crashed workers', async () => {
    const { path } = tempSpace()
    const args = [
      '--retries',
      '1',
      '--report',
      `json=${path('r.json')}`,
      '--report',
      `trace=${path('t.json')}`,
    ]
    await runCli(['collect', fixture('kills-self-always'), ...args], { input: lines(7) })
    const report = json(path('r.json'))
    expect(
      report.attempts.map(({ attempt, status }: { attempt: number; status: string }) => [attempt, status]),
    ).toEqual([
      [1, 'retried'],
      [2, 'failed'],
    ])
    expect(report.workers.filter(({ crashed }: { crashed: boolean }) => crashed)).toHaveLength(2)
    const { traceEvents } = json(path('t.json'))
    expect(traceEvents.filter(({ name }: { name: string }) => name === 'worker lost')).toHaveLength(2)
    expect(traceEvents.filter(({ name }: { name: string }) => name === 'item 0')).toHaveLength(2)
  })
})

describe('a report is written', () => {
  it('when a signal ended the run', async () => {
    const { path } = tempSpace()
    const { child, ended } = startCli(['imap', fixture('slow'), '--report', `json=${path('r.json')}`])
    child.stdin?.write('1\n60000\n')
    const firstResult = once(child.stdout!, 'data')
    let printed = ''
    for await (const text of child.stderr!) {
      printed += text
      if (!/(started.*){2}|interrupted/s.test(printed)) continue
      await firstResult
      process.kill(child.pid!, 'SIGTERM')
    }
    expect((await ended()).signal).toBe('SIGTERM')
    expect(json(path('r.json'))).toMatchObject({ exitCode: 143, signal: 'SIGTERM', counts: { ok: 1 } })
  })

  it('when the deadline passed, and when the job did not load', async () => {
    const { path } = tempSpace()
    const report = (name: string) => ['--report', `json=${path(name)}`]
    await runCli(['imap', fixture('slow'), '-j', '0', '--deadline', '300ms', ...report('late.json'), '60000'])
    expect(json(path('late.json'))).toMatchObject({ exitCode: 124 })
    await runCli(['map', broken('syntax-error'), '-j', '0', ...report('no-job.json'), '1'])
    expect(json(path('no-job.json'))).toMatchObject({
      exitCode: 5,
      verdict: 'the run did not begin',
      counts: null,
    })
  })
})

it('a report path that cannot be written is exit 7 before the first item', async () => {
  const space = tempSpace()
  const log = space.path('log')
  const bad = join(space.dir, 'no', 'r.json')
  const args = [
    'map',
    fixture('records-run'),
    '-j',
    '0',
    '--init-args',
    JSON.stringify([log]),
    '1',
    '--report',
    `json=${bad}`,
  ]
  const { exitCode, stderr } = await runCli(args)
  expect(exitCode).toBe(7)
  expect(stderr).toContain(`cannot write the json report ${bad}: its folder does not exist`)
  expect(existsSync(log)).toBe(false)
})

it('a report that cannot be written at the end is exit 7; the others are written', async () => {
  const { path } = tempSpace()
  const args = ['--report', 'json=/dev/full', '--report', `trace=${path('t.json')}`]
  const { exitCode, stderr } = await runCli(['map', fixture('identity'), '-j', '0', '1', ...args])
  expect(exitCode).toBe(7)
  expect(stderr).toContain('cannot write the json report /dev/full: no space left on the device')
  expect(json(path('t.json')).traceEvents.length).toBeGreaterThan(0)
})
