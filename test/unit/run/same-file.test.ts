import { linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { UsageError } from '../../../src/errors/classes.js'
import type { RunPlan } from '../../../src/plan.js'
import { refuseSameFiles } from '../../../src/run/same-file.js'
import { tempSpace } from '../../helpers/temp-space.js'

type Files = Partial<
  Pick<
    RunPlan,
    | 'input'
    | 'job'
    | 'journal'
    | 'output'
    | 'keepPartial'
    | 'errors'
    | 'merges'
    | 'callbacks'
    | 'envFiles'
    | 'reports'
  >
>

function refusalOf(files: Files, cwd: string, platform?: NodeJS.Platform): string | undefined {
  const plan = {
    job: { path: 'job.mjs', exportName: 'default' },
    input: { kind: 'items', texts: [] },
    envFiles: [],
    reports: [],
    ...files,
  }
  try {
    refuseSameFiles(plan as unknown as RunPlan, cwd, platform)
    return undefined
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

function folder() {
  const space = tempSpace()
  space.write({ 'f.ndjson': '1\n', 'job.mjs': '', 'callbacks.mjs': '' })
  mkdirSync(space.path('sub'))
  symlinkSync('f.ndjson', space.path('link'))
  symlinkSync('.', space.path('here'))
  symlinkSync('not-yet', space.path('dangling'))
  linkSync(space.path('f.ndjson'), space.path('hard'))
  return space
}

const input = { kind: 'file', path: 'f.ndjson' } as const
const json = (path: string) => ({ kind: 'json', path }) as const

describe('two roles of one file', () => {
  it.each(['f.ndjson', './f.ndjson', 'sub/../f.ndjson', 'link', 'hard', 'here/f.ndjson'])(
    'are refused when the input is spelled %s',
    (path) => {
      const { dir } = folder()
      expect(refusalOf({ input, errors: path }, dir)).toContain('--input and --errors name the same file')
      expect(refusalOf({ input, reports: [json(path)] }, dir)).toContain('--report json')
    },
  )

  it.each(['f.ndjson', 'link', 'hard'])(
    'are refused when a journal that is joined is written as %s',
    (path) => {
      const { dir } = folder()
      const merges = ['f.ndjson']
      expect(refusalOf({ merges, output: path }, dir)).toContain('a journal and --output name the same file')
      expect(refusalOf({ merges, errors: path }, dir)).toContain('a journal and --errors')
      expect(refusalOf({ merges, reports: [json(path)] }, dir)).toContain('a journal and --report json')
    },
  )

  it('are refused by absolute path', () => {
    const { dir, path } = folder()
    expect(refusalOf({ input, errors: path('f.ndjson') }, dir)).toContain('--errors')
  })

  it.each(['x', './x', 'sub/../x', 'here/x'])('are refused when the file %s does not exist yet', (other) => {
    const { dir } = folder()
    expect(refusalOf({ output: 'x', errors: other }, dir)).toContain('--output and --errors')
    expect(refusalOf({ reports: [json('x'), { kind: 'html', path: other }] }, dir)).toContain('--report html')
  })

  it('are refused when a link leads to a file that does not exist yet', () => {
    const { dir } = folder()
    expect(refusalOf({ output: 'dangling', errors: 'not-yet' }, dir)).toContain('name the same file')
  })

  it('are not looked for in folders that do not exist, where opening the file says why', () => {
    const { dir } = folder()
    for (const output of ['none/x', 'job.mjs/x', 'loop/x', 'loop']) {
      if (output === 'loop/x') symlinkSync('loop', join(dir, 'loop'))
      expect(refusalOf({ output, errors: 'x' }, dir)).toBeUndefined()
    }
  })

  it.each(['new', 'NEW', 'Grün', 'gru\u0308n'])(
    'are refused for a new file named %s where case is ignored',
    (errors) => {
      const { dir } = folder()
      const output = errors.toLowerCase() === 'new' ? 'new' : 'grün'
      for (const platform of ['darwin', 'win32'] as const)
        expect(refusalOf({ output, errors }, dir, platform)).toContain('--output and --errors')
      if (errors !== output) expect(refusalOf({ output, errors }, dir, 'linux')).toBeUndefined()
    },
  )

  it('are refused for an output and the lock of the journal', () => {
    const { dir } = folder()
    const journal = { path: 'new.journal' } as NonNullable<RunPlan['journal']>
    expect(refusalOf({ journal, output: './new.journal.lock' }, dir)).toContain(
      '--output and the lock of --journal name the same file',
    )
  })

  it.each(['output', 'errors'] as const)('are refused for an --env-file and --%s', (role) => {
    const { dir, write } = folder()
    write({ 'a.env': 'A=1' })
    const files = { [role]: 'here/a.env', envFiles: ['missing.env', 'a.env'] }
    expect(refusalOf(files, dir)).toContain('--env-file and')
  })

  it.each(['output', 'errors'] as const)('are refused for the job, the callbacks and --%s', (role) => {
    const { dir } = folder()
    expect(refusalOf({ [role]: './job.mjs' }, dir)).toContain('the job')
    expect(refusalOf({ [role]: 'here/callbacks.mjs', callbacks: 'callbacks.mjs' }, dir)).toContain(
      '--callbacks',
    )
  })
})

test('the file of --keep-partial is one of them', () => {
  const { dir } = folder()
  const files: Files = { output: 'x', errors: './x.partial' }
  expect(refusalOf(files, dir)).toBeUndefined()
  expect(refusalOf({ ...files, keepPartial: true }, dir)).toContain('--keep-partial and --errors')
})

test('the output may name the input, and files that are different pass', () => {
  const { dir } = folder()
  for (const output of ['f.ndjson', 'link', 'hard', 'sub/../f.ndjson'])
    expect(refusalOf({ input, output }, dir)).toBeUndefined()
  expect(
    refusalOf({ input, output: 'x', errors: 'y', reports: [json('z'), json('sub/z')] }, dir),
  ).toBeUndefined()
  expect(refusalOf({ input: { kind: 'file', path: 'job.mjs' } }, dir)).toBeUndefined()
})

test('a character device may have every role', () => {
  const { dir } = folder()
  const path = '/dev/null'
  const files: Files = {
    input: { kind: 'file', path },
    output: path,
    errors: path,
    reports: [json(path), json(path)],
  }
  expect(refusalOf(files, dir)).toBeUndefined()
})
