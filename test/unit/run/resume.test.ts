// Runs with a journal, interrupted and resumed: whole runs on an executor in this process.

import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { KeyTable } from '../../../src/journal/key-table.js'
import { project } from './journaled-runs.js'

const _double = (n: number) => n * 2

function doubleButThree(n: number): number {
  if (n === 3) throw new RangeError('three')
  return n * 2
}

describe('--resume', () => {
  test('without a journal is a new run', async () => {
    const { run, took } = project()
    expect(await run(['imap', '1', '2', '--resume'])).toMatchObject({
      stdout: '2\n4\n',
      exitCode: 0,
      notes: [],
    })
    expect(took()).toEqual([1, 2])
  })

  test('writes the whole output and runs only what is new, wherever it is in the input', async () => {
    const { run, took } = project()
    await run(['imap', '1', '2', '3'])
    took()
    expect(await run(['imap', '9', '3', '1', '1', '--resume'])).toMatchObject({
      stdout: '18\n6\n2\n2\n',
      exitCode: 0,
      line: 'poolrun imap: 4 ok',
      notes: ['resume: 2 done, 2 new, 1 no longer in the input'],
    })
    expect(took()).toEqual([9, 1])
  })

  test('of imap goes on past the item that has failed, once it is mended', async () => {
    const { run, took } = project()
    const before = await run(['imap', '1', '2', '3', '4', '5'], doubleButThree)
    expect(before).toMatchObject({ stdout: '2\n4\n', exitCode: 1 })
    const settled = took()
    const { stdout, exitCode, notes } = await run(['imap', '1', '2', '3', '4', '5', '--resume'])
    expect({ stdout, exitCode }).toEqual({ stdout: '2\n4\n6\n8\n10\n', exitCode: 0 })
    expect(notes[0]).toContain('1 failed (will run again)')
    const all = [...settled, ...took()]
    expect(all.filter((item) => item !== 3).sort()).toEqual([1, 2, 4, 5])
  })

  test('of map still writes all or nothing', async () => {
    const { run } = project()
    const items = ['1', '2', '3', '4', '5']
    expect(await run(['map', ...items], doubleButThree)).toMatchObject({ stdout: '', exitCode: 1 })
    expect(await run(['map', ...items, '--resume'], doubleButThree)).toMatchObject({
      stdout: '',
      exitCode: 1,
    })
    expect(await run(['map', ...items, '--resume'])).toMatchObject({
      stdout: '2\n4\n6\n8\n10\n',
      exitCode: 0,
    })
  })

  test('of collect joins old and new failures in counts, exit code and --errors', async () => {
    const { run, space, took } = project()
    const errors = space.path('errors.ndjson')
    await run(['collect', '1', '3', '5', '--errors', errors], doubleButThree)
    took()
    const resumed = await run(
      ['collect', '1', '3', '5', '7', '--resume=missing', '--errors', errors],
      (n: number) => {
        if (n === 7) throw new Error('seven')
        return n
      },
    )
    expect(resumed).toMatchObject({
      stdout: '2\n10\n',
      exitCode: 3,
      line: 'poolrun collect: 2 ok, 2 failed (items 1, 3)',
      notes: ['resume: 2 done, 1 failed (stay as they are), 1 new'],
    })
    expect(took()).toEqual([7])
    const lines = space
      .read('errors.ndjson')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { index: 1, item: 3, kind: 'error', error: { name: 'RangeError', message: 'three' } },
      { index: 3, item: 7 },
    ])
  })

  test('=missing raises a recorded failure of map and imap at its turn', async () => {
    for (const [command, stdout] of [
      ['imap', '2\n4\n'],
      ['map', ''],
    ] as const) {
      const { run, took } = project()
      await run([command, '1', '2', '3', '4', '5', '6'], doubleButThree)
      took()
      expect(await run([command, '1', '2', '3', '4', '5', '6', '--resume=missing'])).toMatchObject({
        stdout,
        exitCode: 1,
      })
      expect(took()).not.toContain(3)
    }
  })

  test('writes only what is new with --resume-emit new', async () => {
    const { run } = project()
    await run(['imap', '1', '2', '--format', 'json'])
    expect(
      (await run(['imap', '1', '5', '2', '6', '--resume', '--resume-emit', 'new', '--format', 'json']))
        .stdout,
    ).toBe('[10,12]\n')
  })

  test('explains why items run', async () => {
    const { run } = project()
    await run(['collect', '1', '3'], doubleButThree)
    const { notes } = await run(['collect', '7', '3', '4', '--resume', '--explain-resume'])
    expect(notes.slice(1)).toEqual([
      'resume: item 0 runs, the journal has another value for this index',
      'resume: item 1 runs again, it has failed: RangeError: three',
      'resume: item 2 runs, the journal has no result for it',
    ])
  })

  test('of apply and starmap', async () => {
    const { run, took } = project()
    await run(['apply', '1', '2'])
    took()
    expect((await run(['apply', '1', '2', '--resume'])).stdout).toBe('2\n')
    expect(took()).toEqual([])
  })

  test('keeps the header of a table, and what does not fit it fails', async () => {
    const { run, took } = project()
    const row = (n: number) => (n === 2 ? { b: n, a: 1 } : { a: n, b: 0 })
    await run(['collect', '2', '1', '--format', 'csv'], row)
    took()
    const { stdout } = await run(['collect', '9', '1', '2', '--format', 'csv', '--resume'], row)
    expect(stdout).toBe('b,a\n0,9\n0,1\n2,1\n')
    expect(took()).toEqual([9])
  })

  test('drops a torn last line with a warning', async () => {
    const { run, journal, took } = project()
    await run(['imap', '1', '2'])
    took()
    const text = readFileSync(journal, 'utf8')
    // In the line of the second item, and what follows it.
    truncateSync(journal, text.indexOf('"value":4') + 3)
    const { stdout, warnings, notes } = await run(['imap', '1', '2', '--resume'])
    expect({ stdout, warnings, notes }).toEqual({
      stdout: '2\n4\n',
      warnings: [`the last line of the journal ${journal} is torn and was dropped`],
      notes: ['resume: 1 done, 1 new'],
    })
    expect(took()).toEqual([2])
  })
})

describe('a run is refused', () => {
  test('where its journal exists', async () => {
    const { run, journal, took } = project()
    await run(['imap', '1'])
    took()
    expect(await run(['imap', '1'])).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining(`${journal} exists`),
    })
    expect(took()).toEqual([])
  })

  test.each<[string, string[], string]>([
    ['another command', ['collect', '1'], 'the command was "imap" and is "collect"'],
    [
      'other arguments of the initializer',
      ['imap', '1', '--init-args', '[1]'],
      '--init-args was [] and is [1]',
    ],
    ['other parameters', ['imap', '1', '--param', 'a=1'], '--param was {} and is {"a":1}'],
    ['batches', ['imap', '1', '--batch', '2'], '--batch was not given and is 2'],
    ['another key', ['imap', '1', '--key', '/id'], '--key was not given and is "/id"'],
    ['a shard', ['imap', '1', '--shard', '1/2'], '--shard was not given and is "1/2"'],
    ['an expression', ['imap', '-e', 'n => n', '1'], '--eval was not given and is "n => n"'],
  ])('where it has %s', async (_, argv, message) => {
    const { run, took } = project()
    await run(['imap', '1'])
    took()
    expect(await run([...argv, '--resume'])).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining(message),
    })
    expect(took()).toEqual([])
  })

  test('where the job has changed, unless --resume-force is given', async () => {
    const { run, space, took } = project()
    space.write({ 'job.mjs': 'export const a = 1' })
    await run(['imap', '1'])
    space.write({ 'job.mjs': '// a comment\nexport   const a = 1\n' })
    expect(await run(['imap', '1', '--resume'])).toMatchObject({ exitCode: 0 })
    space.write({ 'job.mjs': 'export const a = 2' })
    expect(await run(['imap', '1', '--resume'])).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining('job.mjs has changed'),
    })
    took()
    expect(await run(['imap', '1', '--resume', '--resume-force'])).toMatchObject({
      exitCode: 0,
      stdout: '2\n',
    })
    expect(await run(['imap', '1', '--resume'])).toMatchObject({ exitCode: 0, stdout: '2\n' })
    expect(took()).toEqual([])
  })

  test('where the journal is damaged in the middle, with the line', async () => {
    const { run, journal } = project()
    await run(['imap', '1', '2'])
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"value":2', '"value":3'))
    expect(await run(['imap', '1', '2', '--resume'])).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining('damaged in line 2'),
    })
  })

  test('where a large value is not there any more', async () => {
    const { run, space, journal } = project()
    const large = () => 'x'.repeat(2 << 20)
    const argv = ['imap', '1', '-o', space.path('out')]
    expect(await run(argv, large)).toMatchObject({ exitCode: 0 })
    rmSync(`${journal}.values`, { recursive: true })
    expect(await run([...argv, '--resume'], large)).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining(`cannot read the journal ${journal}: ENOENT`),
    })
  })

  test('where the file is not a journal, which stays as it is', async () => {
    const { run, journal } = project()
    writeFileSync(journal, '{"a":1}\n')
    expect(await run(['imap', '1', '--resume'])).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining('not a journal'),
    })
    expect(readFileSync(journal, 'utf8')).toBe('{"a":1}\n')
  })

  test.each(['\n', '{\n', '{"pool"}\n'])(
    'where the file is the short line %j, which stays as it is',
    async (text) => {
      const { run, journal } = project()
      writeFileSync(journal, text)
      expect(await run(['imap', '1', '--resume'])).toMatchObject({ exitCode: 2 })
      expect(readFileSync(journal, 'utf8')).toBe(text)
    },
  )

  test('where an editor has changed its line ends, which can be changed back', async () => {
    const { run, journal, took } = project()
    const { stdout } = await run(['imap', '1', '2'])
    const text = readFileSync(journal, 'utf8')
    writeFileSync(journal, text.replaceAll('\n', '\r\n'))
    expect(await run(['imap', '1', '2', '--resume'])).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining('change them back to LF'),
    })
    writeFileSync(journal, text)
    took()
    expect(await run(['imap', '1', '2', '--resume'])).toMatchObject({ exitCode: 0, stdout })
    expect(took()).toEqual([])
  })

  test('where the first line is damaged, without the advice to remove it', async () => {
    const { run, journal } = project()
    await run(['imap', '1'])
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"version":1', '"version":2'))
    const { error, exitCode } = await run(['imap', '1', '--resume'])
    expect(exitCode).toBe(7)
    expect(error).toMatch(/damaged in line 1; remove the journal for a new run$/)
  })

  test.each(['a folder', 'a link to a device'])('where the journal is %s, which stays', async (kind) => {
    const { run, space, journal } = project()
    if (kind === 'a folder') mkdirSync(journal)
    else symlinkSync('/dev/null', journal)
    const before = lstatSync(journal).ino
    expect(await run(['imap', '1'])).toMatchObject({
      exitCode: 7,
      error: expect.stringMatching(/cannot write the journal .*: it is (not a regular file|a directory)/),
    })
    expect(await run(['imap', '-i', space.path('missing')])).toMatchObject({ exitCode: 7 })
    expect(lstatSync(journal).ino).toBe(before)
  })

  test('where another process writes the journal by another name', async () => {
    const { run, space, journal } = project()
    await run(['imap', '1'])
    symlinkSync(journal, space.path('link'))
    const owner = { pid: process.ppid, host: hostname(), start: '', since: 'noon' }
    writeFileSync(`${journal}.lock`, JSON.stringify(owner))
    expect(await run(['imap', '1', '--resume', '--journal', space.path('link')])).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining('in use by process'),
    })
  })

  test('where another process writes the journal', async () => {
    const { run, journal, took } = project()
    await run(['imap', '1'])
    took()
    const owner = { pid: process.ppid, host: hostname(), start: '', since: 'noon' }
    writeFileSync(`${journal}.lock`, JSON.stringify(owner))
    expect(await run(['imap', '1', '--resume'])).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining(`in use by process ${process.ppid} on ${hostname()}, since noon`),
    })
    expect(existsSync(`${journal}.lock`)).toBe(true)
    expect(took()).toEqual([])
  })

  test.each([
    ['a folder', 'cannot be read', (lock: string) => mkdirSync(lock)],
    ['a link that leads nowhere', 'cannot be replaced', (lock: string) => symlinkSync('nowhere', lock)],
  ])('where its lock is %s', async (_kind, reason, make) => {
    const { run, journal } = project()
    make(`${journal}.lock`)
    expect(await run(['imap', '1'])).toMatchObject({
      exitCode: 7,
      error: expect.stringContaining(
        `cannot write the journal ${journal}: its lock ${journal}.lock ${reason}`,
      ),
    })
  })

  test.each(['', '{"pid":', 'null', '5', '{}'])('but not for the lock %j', async (text) => {
    const { run, journal } = project()
    writeFileSync(`${journal}.lock`, text)
    expect(await run(['imap', '1'])).toMatchObject({ exitCode: 0 })
    expect(existsSync(`${journal}.lock`)).toBe(false)
  })

  test('but not for a lock whose process is gone, or has another start', async () => {
    const { run, journal } = project()
    await run(['imap', '1'])
    for (const owner of [
      { pid: 2 ** 22 + 1, start: '' },
      { pid: process.pid, start: '1 another boot' },
    ]) {
      writeFileSync(`${journal}.lock`, JSON.stringify({ ...owner, host: hostname(), since: '' }))
      expect(await run(['imap', '1', '--resume'])).toMatchObject({ exitCode: 0 })
      expect(existsSync(`${journal}.lock`)).toBe(false)
    }
  })
})

describe('a dry run', () => {
  test('says what a resumed run will do, and writes nothing', async () => {
    const { run, journal, took, space } = project()
    await run(['collect', '1', '2', '3'], doubleButThree)
    appendFileSync(journal, '{"ok":')
    const before = readFileSync(journal, 'utf8')
    took()
    expect(await run(['collect', '1', '3', '4', '--resume', '-n'])).toMatchObject({
      exitCode: 0,
      notes: ['resume: 1 done, 1 failed (will run again), 1 new, 1 no longer in the input'],
      warnings: [expect.stringContaining('is torn and does not count')],
    })
    expect({ text: readFileSync(journal, 'utf8'), took: took() }).toEqual({ text: before, took: [] })
    expect(readdirSync(space.dir).sort()).toEqual(['j.ndjson', 'job.mjs'])
  })

  test('is refused as the run would be', async () => {
    const { run, journal } = project()
    await run(['imap', '1'])
    expect(await run(['imap', '1', '-n'])).toMatchObject({ exitCode: 2 })
    expect(await run(['collect', '1', '-n', '--resume'])).toMatchObject({ exitCode: 2 })
    writeFileSync(journal, readFileSync(journal, 'utf8').slice(0, 40))
    const torn = readFileSync(journal, 'utf8')
    expect(await run(['imap', '-i', 'missing', '-n', '--resume'])).toMatchObject({ exitCode: 4 })
    expect(readFileSync(journal, 'utf8')).toBe(torn)
  })

  test('without a journal creates none', async () => {
    const { run, journal } = project()
    expect(await run(['imap', '1', '-n', '--resume'])).toMatchObject({ exitCode: 0, notes: [] })
    expect(existsSync(journal)).toBe(false)
  })
})

test('large values are found by any name of their journal', async () => {
  const { run, space, journal, took } = project()
  const large = () => 'x'.repeat(2 << 20)
  symlinkSync(journal, space.path('link'))
  const argv = ['map', '1', '-o', space.path('out')]
  expect(await run([...argv, '--journal', space.path('link')], large)).toMatchObject({ exitCode: 0 })
  const before = space.read('out')
  took()
  expect(await run([...argv, '--resume'], large)).toMatchObject({ exitCode: 0 })
  expect({ isSame: space.read('out') === before, took: took() }).toEqual({ isSame: true, took: [] })
})

test('a run that is refused before it begins leaves no journal', async () => {
  const { run } = project()
  expect(await run(['imap', '--input', 'missing.ndjson'])).toMatchObject({ exitCode: 4 })
  expect(await run(['imap', '1'])).toMatchObject({ exitCode: 0 })
})

test('a run of a part of its input does not expect the items of the rest', async () => {
  const { space, run, journal } = project()
  const input = space.path('input')
  space.write({ input: Array.from({ length: 4_000 }, (_, i) => `${1_000 + i}\n`).join('') })
  const expected = vi.spyOn(KeyTable.prototype, 'expect')
  onTestFinished(() => expected.mockRestore())
  const most = async (...options: string[]) => {
    expected.mockClear()
    rmSync(journal, { force: true })
    await run(['imap', '-i', input, '-o', space.path('out'), ...options])
    return Math.max(0, ...expected.mock.calls.map(([items]) => items))
  }
  expect(await most()).toBeGreaterThan(3_900)
  expect(await most('--shard', '1/8')).toBeLessThan(550)
  expect(await most('--only', '0-499')).toBeLessThan(550)
})
