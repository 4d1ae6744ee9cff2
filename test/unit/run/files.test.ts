// The files of a run, on a real disk: which are opened, which are kept after which exit code, and what fails alone.
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { EXIT } from '../../../src/errors/exit-codes.js'
import type { RunPlan } from '../../../src/plan.js'
import { RunFiles } from '../../../src/run/files.js'
import { tempSpace } from '../../helpers/temp-space.js'

type FilePlan = Pick<RunPlan, 'output' | 'keepPartial' | 'errors' | 'reports' | 'dryRun'>

/** A run with these files in a folder of its own. */
function setUp() {
  const space = tempSpace()
  const errors: unknown[] = []
  const files = new RunFiles((error) => errors.push(error))
  const open = (plan: Partial<FilePlan>) =>
    files.open(
      { reports: [], dryRun: false, ...plan } as unknown as RunPlan,
      space.dir,
      new AbortController().signal,
    )
  return { ...space, files, errors, open, names: () => readdirSync(space.dir).sort() }
}

describe('open', () => {
  test('opens nothing where no file is named, and results go to stdout', async () => {
    const { files, open, names } = setUp()
    await open({})
    expect(files.stream).toBeUndefined()
    expect(files.errors).toBeUndefined()
    expect(await files.keepOutput(EXIT.ok, false)).toBe(true)
    expect(await files.writeReports(() => Promise.reject(new Error('not asked for')))).toBe(true)
    expect(names()).toEqual([])
  })

  test('opens nothing in a dry run', async () => {
    const { files, open, path, names } = setUp()
    await open({
      dryRun: true,
      output: path('out'),
      errors: path('errors'),
      reports: [{ kind: 'json', path: path('r') }],
    })
    expect(files.stream).toBeUndefined()
    expect(names()).toEqual([])
  })

  test.each<[string, (path: (name: string) => string) => Partial<FilePlan>, string]>([
    ['an output', (path) => ({ output: path('no/out') }), 'cannot write the output'],
    [
      'a report',
      (path) => ({ output: path('out'), reports: [{ kind: 'junit', path: path('no/r') }] }),
      'cannot write the junit report',
    ],
    [
      'an errors file',
      (path) => ({ output: path('out'), errors: path('no/e') }),
      'cannot write the errors to',
    ],
  ])('rejects for %s that cannot be written; the others can still be closed', async (_, plan, message) => {
    const { files, open, path, errors, names } = setUp()
    const error = await open(plan(path)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OutputError)
    expect((error as Error).message).toContain(message)
    expect((error as Error).message).toMatch(/: its folder does not exist$/)
    await files.keepOutput(EXIT.trouble, false)
    expect(names()).toEqual([])
    expect(errors).toEqual([])
  })
})

describe('keepOutput', () => {
  test.each([
    ['ok', EXIT.ok, false, 'results'],
    ['some items failed', EXIT.someFailed, false, 'results'],
    ['the run failed', EXIT.itemFailed, false, 'before'],
    ['the input is wrong', EXIT.input, false, 'before'],
    ['the deadline was reached', EXIT.deadline, false, 'before'],
    ['ok, but interrupted', EXIT.ok, true, 'before'],
    ['some items failed, and interrupted', EXIT.someFailed, true, 'before'],
  ])('after a run that ended as: %s', async (_, exitCode, interrupted, content) => {
    const { files, open, path, read, write, names } = setUp()
    write({ out: 'before' })
    await open({ output: path('out') })
    files.stream!.write('results')
    expect(await files.keepOutput(exitCode, interrupted)).toBe(true)
    expect(read('out')).toBe(content)
    expect(names()).toEqual(['out'])
  })

  test.each([
    ['ok', EXIT.ok, false, ['out']],
    ['some items failed', EXIT.someFailed, false, ['out']],
    ['the run failed', EXIT.itemFailed, false, ['out', 'out.partial']],
    ['the deadline was reached', EXIT.deadline, false, ['out', 'out.partial']],
    ['ok, but interrupted', EXIT.ok, true, ['out', 'out.partial']],
  ])(
    'keeps what was written, with keepPartial, after a run that ended as: %s',
    async (_, code, cut, kept) => {
      const { files, open, path, read, write, names } = setUp()
      write({ out: 'before', 'out.partial': 'earlier' })
      await open({ output: path('out'), keepPartial: true })
      files.stream!.write('results')
      expect(await files.keepOutput(code, cut)).toBe(true)
      expect(names()).toEqual(['out', 'out.partial'])
      expect([read('out'), read('out.partial')]).toEqual(
        kept.length === 1 ? ['results', 'earlier'] : ['before', 'results'],
      )
    },
  )

  test('keeps the partial results of an earlier run where nothing was written', async () => {
    const { files, open, path, read, write, names } = setUp()
    write({ 'out.partial': 'earlier' })
    await open({ output: path('out'), keepPartial: true })
    expect(await files.keepOutput(EXIT.job, false)).toBe(true)
    expect(names()).toEqual(['out.partial'])
    expect(read('out.partial')).toBe('earlier')
  })

  test('is false if partial results cannot be kept under their name, and says where they are', async () => {
    const { files, open, path, read, errors, names } = setUp()
    mkdirSync(path('out.partial'))
    await open({ output: path('out'), keepPartial: true })
    files.stream!.write('results')
    expect(await files.keepOutput(EXIT.deadline, false)).toBe(false)
    expect(errors).toEqual([expect.any(OutputError)])
    const [kept] = names()
    expect((errors[0] as Error).message).toMatch(
      `out.partial: it is a directory; what was written is kept in ${path(kept!)}`,
    )
    expect(read(kept!)).toBe('results')
  })

  test('is false and reports the error if the output cannot be put in its place', async () => {
    const { files, open, path, errors, names } = setUp()
    await open({ output: path('out') })
    mkdirSync(path('out/sub'), { recursive: true })
    expect(await files.keepOutput(EXIT.ok, false)).toBe(false)
    expect(errors).toMatchObject([{ name: 'OutputError' }])
    expect(names()).toEqual(['out'])
  })

  test.each([EXIT.ok, EXIT.itemFailed])('keeps the errors file after exit code %i', async (exitCode) => {
    const { files, open, path } = setUp()
    await open({ errors: path('errors') })
    await files.keepOutput(exitCode, false)
    expect(existsSync(path('errors'))).toBe(true)
  })
})

describe('until the run begins', () => {
  const everything = (path: (name: string) => string): Partial<FilePlan> => ({
    output: path('out'),
    errors: path('errors'),
    reports: [{ kind: 'json', path: path('report') }],
  })
  const end = async (files: RunFiles) => {
    await files.closeErrors([])
    await files.keepOutput(EXIT.job, false)
    await files.writeReports(async () => 'new')
  }

  test('files of an earlier run stay as they are', async () => {
    const { files, open, path, read, write, names } = setUp()
    write({ out: 'old', errors: 'old', report: 'old' })
    await open(everything(path))
    await end(files)
    expect([read('out'), read('errors'), read('report'), names()]).toEqual([
      'old',
      'old',
      'old',
      ['errors', 'out', 'report'],
    ])
  })

  test('no file is created but reports, which say so', async () => {
    const { files, open, path, read, names } = setUp()
    symlinkSync('led to', path('errors'))
    await open(everything(path))
    await end(files)
    expect([read('report'), names()]).toEqual(['new', ['errors', 'report']])
  })

  test('then --errors and reports are replaced, and the output by a run that reaches its end', async () => {
    const { files, open, path, read, write } = setUp()
    write({ out: 'old', errors: 'old', report: 'old' })
    await open(everything(path))
    files.begin()
    files.begin()
    expect(read('errors')).toBe('')
    await end(files)
    expect([read('out'), read('errors'), read('report')]).toEqual(['old', '', 'new'])
  })
})

describe('writeReports', () => {
  const REPORTS = (path: (name: string) => string): FilePlan['reports'] => [
    { kind: 'json', path: path('a') },
    { kind: 'junit', path: path('b') },
    { kind: 'trace', path: path('c') },
  ]

  test('writes each report as its kind', async () => {
    const { files, open, path, read } = setUp()
    await open({ reports: REPORTS(path) })
    expect(await files.writeReports(async (kind) => `report ${kind}`)).toBe(true)
    expect([read('a'), read('b'), read('c')]).toEqual(['report json', 'report junit', 'report trace'])
  })

  test('is false if one cannot be rendered or written, and writes the others', async () => {
    const { files, open, path, read, errors, names } = setUp()
    await open({ reports: REPORTS(path) })
    mkdirSync(path('c/sub'), { recursive: true })
    const render = async (kind: string) => {
      if (kind === 'json') throw new Error('cannot render')
      return `report ${kind}`
    }
    expect(await files.writeReports(render)).toBe(false)
    expect(read('b')).toBe('report junit')
    expect(errors).toMatchObject([{ message: 'cannot render' }, { name: 'OutputError' }])
    expect(names()).toEqual([expect.stringMatching(/^\.c\./), 'b', 'c'])
  })
})
