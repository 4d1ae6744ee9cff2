// `--report`: files about a run for other programs, however the run ended.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { broken, fixture, lines, runCli, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const numbers = lines(0, 1, 2, 3, 4)
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** Strict: expat stops at the first error. */
function parseXml(path: string): string {
  const script = `import sys, xml.etree.ElementTree as t
print([(c.get('name'), [(k.tag, k.get('type')) for k in c]) for c in t.parse(sys.argv[1]).getroot().iter('testcase')])`
  return execFileSync('python3', ['-c', script, path], { encoding: 'utf8' })
}

describe('the JSON report', () => {
  it('has counts, workers, attempts with their times, and failures', async () => {
    const { dir, path } = tempSpace()
    const run = await runCli(['collect', fixture('throws-error'), '--report', `json=${path('r.json')}`], {
      input: numbers,
    })
    const report = json(path('r.json'))
    expect(report).toMatchObject({
      schema: 'poolrun-report/1',
      command: 'collect',
      exitCode: 3,
      signal: null,
      verdict: 'poolrun collect: 4 ok, 1 failed (item 2)',
      counts: { ok: 4, failed: 1, flaky: 0, notRun: 0, inputReadToEnd: true },
    })
    expect(report.attempts).toHaveLength(5)
    for (const { startedAt, ms } of report.attempts) {
      expect(startedAt).toBeGreaterThanOrEqual(report.startedAt)
      expect(startedAt + ms).toBeLessThanOrEqual(report.endedAt + 1)
    }
    expect(report.failures).toMatchObject([{ index: 2, kind: 'error', item: '2', message: 'boom' }])
    expect(report.failures[0].place.file).toMatch(/throws-error\.ts$/)
    expect(report.workers.length).toBeGreaterThan(0)
    expect(run.stderr.trimEnd().split('\n').at(-1)).toBe(report.verdict)
    expect(readdirSync(dir)).toEqual(['r.json'])
  })

  it('has retried attempts and crashed workers, as has the trace', async () => {
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

describe.runIf(existsSync('/usr/bin/python3'))('JUnit', () => {
  it('has a test case per item; a crash or a timeout is an error, everything else a failure', async () => {
    const { path } = tempSpace()
    await runCli(['collect', fixture('throws-error'), '--report', `junit=${path('r.xml')}`], {
      input: numbers,
    })
    const cases = parseXml(path('r.xml'))
    expect(cases).toContain("('item 2: 2', [('failure', 'error')])")
    expect(cases).toContain("('item 4: 4', [])")
    await runCli([
      'collect',
      fixture('slow'),
      '--timeout',
      '200ms',
      '--report',
      `junit=${path('r.xml')}`,
      '60000',
    ])
    expect(parseXml(path('r.xml'))).toContain("('item 0: 60000', [('error', 'timeout')])")
  })

  it('is well-formed XML whatever a job throws', async () => {
    const space = tempSpace()
    const evil = ']]> <b>&amp; \\u0000 \\u001b[31m \\ud800 \\uffff <![CDATA[ "\\\'>'
    const job = space.write({ 'job.mjs': `export default () => { throw new Error('${evil}') }` })
    await runCli(['collect', job, '--report', `junit=${space.path('r.xml')}`, '1'])
    expect(parseXml(space.path('r.xml'))).toContain("('item 0: 1', [('failure', 'error')])")
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
    await runCli(['imap', fixture('slow'), '--deadline', '300ms', ...report('late.json'), '60000'])
    expect(json(path('late.json'))).toMatchObject({ exitCode: 124 })
    await runCli(['map', broken('syntax-error'), ...report('no-job.json'), '1'])
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
  const { exitCode, stderr } = await runCli(['map', fixture('identity'), '1', ...args])
  expect(exitCode).toBe(7)
  expect(stderr).toContain('cannot write the json report /dev/full: no space left on the device')
  expect(json(path('t.json')).traceEvents.length).toBeGreaterThan(0)
})

it.each(['xml=r', 'json', 'json=', 'json=a,junit=a'])('--report %s is refused', async (value) => {
  const { exitCode, stderr } = await runCli(['map', fixture('identity'), '1', '--report', value])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('expected json=<file>, junit=<file>, html=<file> or trace=<file>')
})
