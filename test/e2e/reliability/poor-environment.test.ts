// A machine that lacks something while poolrun starts: a sentence and an exit code of the contract, never a stack.
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fixture, root, runShell } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const STACK = /^ {4}at |node:internal|Unhandled/m
const JOB = `${root}${fixture('identity')}`
const PLAIN_JOB = 'export default (item) => item\n'

const hasFullDevice = existsSync('/dev/full')

describe('a full device', () => {
  it.runIf(hasFullDevice).each(['--version', 'map --help', 'init new'])('fails %s with 7', async (args) => {
    const space = tempSpace()
    const { stderr, exitCode } = await runShell(`poolrun ${args} > /dev/full`, { cwd: space.path('.') })
    expect(stderr).toBe('poolrun: cannot write to stdout: ENOSPC: no space left on device, write\n')
    expect(exitCode).toBe(7)
  })

  it.runIf(hasFullDevice)('as stderr is ignored', async () => {
    const { stdout, exitCode } = await runShell(
      `poolrun map ${JOB} 1 2 2> /dev/full && poolrun map ${JOB} 1 -n 2> /dev/full && poolrun --nope 2> /dev/full`,
    )
    expect({ stdout, exitCode }).toEqual({ stdout: '1\n2\n', exitCode: 2 })
  })

  it('that takes only a part of the results is not taken for success', async () => {
    // A limit of the file's size, in blocks of 1 KiB, ends a write in its middle, as a disk that becomes full does.
    const space = tempSpace()
    space.write({ 'job.mjs': PLAIN_JOB })
    const { stderr, exitCode } = await runShell(
      `trap '' XFSZ; ulimit -f 16; seq 5000 | poolrun map job.mjs -j 0 --errors /dev/null > out; code=$?; wc -c < out >&2; exit $code`,
      { cwd: space.path('.') },
    )
    expect(stderr).toContain('poolrun map: cannot write the output: it would be larger than the limit')
    expect(exitCode).toBe(7)
  })
})

describe('a reader of --help that has left', () => {
  it('ends it with 141', async () => {
    const { stderr } = await runShell(
      `{ until [ -e left ]; do :; done; poolrun --help; echo $? >&2; } | { exec <&-; touch left; }`,
      { cwd: tempSpace().path('.') },
    )
    expect(stderr).toBe('141\n')
  })
})

describe('a working directory that was deleted', () => {
  const gone = 'mkdir gone; cd gone; rmdir ../gone; '

  it.each([
    `map ${JOB} 1`,
    `map ${JOB} 1 -n`,
    `map -e 'item => item' 1`,
    `collect ${JOB} 1 --report json=r.json`,
  ])('ends %s with 7', async (args) => {
    const { stderr, exitCode } = await runShell(`${gone}poolrun ${args}`, { cwd: tempSpace().path('.') })
    expect(stderr).toBe(
      'poolrun: the working directory does not exist any more; change to another one and start again\n',
    )
    expect(exitCode).toBe(7)
  })

  it('does not matter for --version', async () => {
    const { stdout, exitCode } = await runShell(`${gone}poolrun --version`, { cwd: tempSpace().path('.') })
    expect({ stdout, exitCode }).toEqual({ stdout: '0.1.0\n', exitCode: 0 })
  })
})

describe.runIf(process.platform === 'linux')('too few descriptors', () => {
  // Each limit is met at another place: while poolrun loads its code, opens or creates a file, starts the compiler or a
  // worker. With the last there are enough.
  it.each([
    ['a JavaScript job', 'map job.mjs -j 4 1 2 3', [19, 23, 40, 56]],
    [
      'a TypeScript job',
      'collect job.ts -j 2 -o out --errors errors --report json=r.json 1 2 3',
      [19, 22, 25, 28, 36, 56],
    ],
    ['an expression', "map -e 'item => item' -j 1 1", [21, 29, 56]],
  ])(
    'end %s with 7 and a sentence',
    async (_what, args, limits) => {
      const codes = new Set<number | undefined>()
      for (const limit of limits) {
        const space = tempSpace()
        space.write({ 'job.mjs': PLAIN_JOB, 'job.ts': PLAIN_JOB.replace('item', 'item: unknown') })
        const { stderr, exitCode } = await runShell(
          `ulimit -n ${limit}; exec "$NODE" "$POOLRUN_JS" ${args}`,
          {
            cwd: space.path('.'),
            env: { POOLRUN_CACHE_DIR: space.path('cache') },
          },
        )
        expect(stderr, `with ${limit}`).not.toMatch(STACK)
        if (exitCode !== 0) expect(stderr, `with ${limit}`).toMatch(/EMFILE/)
        codes.add(exitCode)
      }
      expect([...codes].sort()).toEqual([0, 7])
    },
    60_000,
  )
})

describe('NODE_OPTIONS of poolrun', () => {
  const stderrUnder = async (NODE_OPTIONS: string) =>
    (await runShell(`poolrun map ${JOB} 1 2`, { env: { NODE_OPTIONS } })).stderr

  it('with a debugger do not start one in a worker', async () => {
    const stderr = await stderrUnder('--inspect=0')
    expect(stderr.match(/Debugger listening/g)).toHaveLength(1)
    expect(stderr).toContain('poolrun map: 2 ok')
  })

  it('may freeze what the language offers', async () => {
    expect(await stderrUnder('--frozen-intrinsics --no-warnings')).toBe('poolrun map: 2 ok\n')
  })
})

describe('folders that cannot be written to', () => {
  it.each([
    ['HOME and TMPDIR', 'HOME=/proc TMPDIR=/proc'],
    ['HOME and TMPDIR, which do not exist', 'HOME=/nonexistent TMPDIR=/nonexistent'],
    ['no HOME and no TMPDIR', '-u HOME -u TMPDIR'],
  ])('%s do not matter for a JavaScript job', async (_what, changes) => {
    const space = tempSpace()
    space.write({ 'job.mjs': PLAIN_JOB })
    const { stdout, stderr, exitCode } = await runShell(
      `env -u XDG_CACHE_HOME -u POOLRUN_CACHE_DIR ${changes} "$NODE" "$POOLRUN_JS" map job.mjs 1`,
      { cwd: space.path('.') },
    )
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: '1\n',
      stderr: 'poolrun map: 1 ok\n',
      exitCode: 0,
    })
  })

  it.runIf(process.platform === 'linux')('end a job that has to be compiled with 7', async () => {
    const { stderr, exitCode } = await runShell(
      `env -u XDG_CACHE_HOME HOME=/proc TMPDIR=/proc "$NODE" "$POOLRUN_JS" map ${JOB} 1`,
    )
    expect(stderr).toMatch(
      /^poolrun map: nowhere to write the compiled job: .*; set TMPDIR to a folder that can be written to\n$/,
    )
    expect(exitCode).toBe(7)
  })
})

describe('standard streams that are closed', () => {
  it('do not matter where nothing is read from them and nothing written to them', async () => {
    const { stdout, exitCode } = await runShell(`poolrun map ${JOB} 1 2 <&- 2>&-`)
    expect({ stdout, exitCode }).toEqual({ stdout: '1\n2\n', exitCode: 0 })
    const space = tempSpace()
    const toFile = await runShell(`poolrun map ${JOB} 1 2 -o ${space.path('out')} <&- >&- 2>&-`)
    expect(toFile.exitCode).toBe(0)
    expect(space.read('out')).toBe('1\n2\n')
  })

  it.each([
    ['a directory as stdin', '< .', 4, 'cannot read <stdin>: it is a directory'],
    ['stdin open for writing only', '0> written', 4, 'cannot read <stdin>: EBADF'],
    ['stdout open for reading only', '1 1< /dev/null', 7, 'cannot write the output: EBADF'],
  ])('or of the wrong kind are named: %s', async (_what, redirection, code, message) => {
    const { stderr, exitCode } = await runShell(`poolrun map ${JOB} -j 0 ${redirection}`, {
      cwd: tempSpace().path('.'),
    })
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(STACK)
    expect(exitCode).toBe(code)
  })
})
