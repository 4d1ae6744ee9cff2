// Results and failures in files: `--output`, `--envelope`, `--errors`. How a file is replaced and when it is kept is in
// test/unit/write/atomic-file.test.ts and test/unit/run/files.test.ts.
import {
  chmodSync,
  chownSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FEWER_POWERS, MOUNTS, requireOfMachine } from '../helpers/machine.js'
import { listMarked } from '../helpers/no-orphans.js'
import { fixture, inParent, lines, runCli, runShell, startCli, watchCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const numbers = lines(0, 1, 2, 3, 4)

function target() {
  const folder = tempSpace().dir
  const path = join(folder, 'out.ndjson')
  writeFileSync(path, 'before\n')
  return { folder, path, text: () => readFileSync(path, 'utf8') }
}

describe('--output', () => {
  test('is replaced when every item succeeds, keeps its permissions, and stdout stays empty', async () => {
    const { folder, path, text } = target()
    chmodSync(path, 0o640)
    const { stdout, exitCode } = await runCli(['imap', fixture('identity'), '-o', path], { input: numbers })
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 })
    expect(text()).toBe(numbers)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(folder)).toEqual(['out.ndjson'])
  })

  test('stays as it was when imap reached an item that failed, and nothing is left beside it', async () => {
    const { folder, path, text } = target()
    const args = ['imap', fixture('throws-error'), '-o', path]
    const { exitCode } = await runCli(args, { ...inParent, input: numbers })
    expect(exitCode).toBe(1)
    expect(text()).toBe('before\n')
    expect(readdirSync(folder)).toEqual(['out.ndjson'])
  })

  test('stays as it was when a signal ends the run', async () => {
    const { folder, path, text } = target()
    const { child, ended } = startCli(['imap', fixture('slow'), '-o', path])
    child.stdin?.write('60000\n')
    // The job prints when it has begun; by then the file is open. The first signal gets an answer, the second kills.
    for await (const text of child.stderr!)
      if (/started|interrupted/.test(String(text))) process.kill(child.pid!, 'SIGTERM')
    expect((await ended()).signal).toBe('SIGTERM')
    expect(text()).toBe('before\n')
    expect(readdirSync(folder)).toEqual(['out.ndjson'])
  })

  test('and reports leave nothing beside them when poolrun is killed, whatever their names are', async () => {
    const { dir, path, write } = tempSpace()
    const name = '-o\'u \n"$(touch x)'
    write({ [name]: 'before' })
    const files = ['-o', path(name), '--report', `json=${path('report')}`]
    const run = watchCli(['imap', fixture('slow'), ...files, '60000'])
    await run.printed(/started/)
    const left = readdirSync(dir).filter((file) => file !== name)
    expect(left).toEqual([expect.stringContaining('poolrun-'), expect.stringContaining('.report.poolrun-')])
    // As `pkill -9 -f poolrun` does.
    for (const line of listMarked(run.mark))
      if (/poolrun/.test(line)) process.kill(Number.parseInt(line, 10), 'SIGKILL')
    await run.ended()
    expect(readdirSync(dir)).toEqual([name])
  })

  test('on a full disk ends the run with code 7', async () => {
    const { stderr, exitCode } = await runCli(['imap', fixture('identity'), '-o', '/dev/full'], {
      ...inParent,
      input: numbers,
    })
    expect(exitCode).toBe(7)
    expect(stderr).toContain('no space left')
  })

  test('- and /dev/stdout are stdout', async () => {
    for (const to of ['-', '/dev/stdout']) {
      const args = ['imap', fixture('identity'), '-o', to]
      const { stdout } = await runCli(args, { ...inParent, input: numbers })
      expect(stdout).toBe(numbers)
    }
  })
})

describe('files of an earlier run', () => {
  const FILES = ['-o', 'out', '--errors', 'errors', '--report', 'json=report']

  test.each([
    [4, ['job.mjs', '-i', 'missing'], 'cannot read missing: no such file'],
    [4, ['job.mjs', '-i', 'bad.json'], 'bad.json:1:2'],
    [5, ['missing.mjs', '1'], 'job module not found: missing.mjs; looked in '],
    [5, ['throws.mjs', '1', '-j', '1'], 'no job'],
    [5, ['job.mjs', '--callbacks', 'missing.mjs', '1'], 'missing.mjs'],
    [6, ['initializer.mjs', '1', '-j', '1'], 'no initializer'],
    [7, ['job.mjs', '--report', 'junit=no/report', '1'], 'report no/report: its folder does not exist'],
  ])('stay as they are when nothing ran (exit code %i): collect %j', async (code, args, message) => {
    const { dir, path, read, write } = tempSpace()
    write({
      'job.mjs': "import { writeFileSync } from 'node:fs'; export default () => writeFileSync('began', '')",
      'throws.mjs': "throw new Error('no job')",
      'initializer.mjs':
        "export const initializer = () => { throw new Error('no initializer') }; export default 1",
      ...{ out: 'old', errors: 'old', report: 'old', 'bad.json': '[}' },
    })
    const before = readdirSync(dir)
    const inodes = () => ['out', 'errors', 'report'].map((name) => statSync(path(name)).ino)
    const inodesBefore = inodes()
    const { exitCode, stderr } = await runCli(['collect', ...args, ...FILES], { ...inParent, cwd: dir })
    expect(exitCode, stderr).toBe(code)
    expect(stderr).toContain(message)
    expect([read('out'), read('errors'), read('report')]).toEqual(['old', 'old', 'old'])
    expect([readdirSync(dir), inodes()]).toEqual([before, inodesBefore])
  })

  test('are replaced while the first item runs, and where there are no items', async () => {
    const { dir, path, read, write } = tempSpace()
    write({
      'slow.mjs':
        "export default () => { console.error('running'); setInterval(() => {}, 1000); return new Promise(() => {}) }",
    })
    write({ errors: 'old' })
    const run = watchCli(['collect', path('slow.mjs'), '--errors', path('errors'), '1'])
    await run.printed(/running/)
    expect(read('errors')).toBe('')
    run.child.kill('SIGKILL')
    await run.ended()
    write({ errors: 'old', report: 'old', out: 'old' })
    const { exitCode, stderr } = await runCli(['collect', 'slow.mjs', ...FILES], { ...inParent, cwd: dir })
    expect(exitCode, stderr).toBe(0)
    expect([read('errors'), read('out'), JSON.parse(read('report')).exitCode]).toEqual(['', '', 0])
  })
})

describe('--output where a rename cannot work', () => {
  const JOB = "export default (x) => { if (x === 'bad') throw new Error('bad'); return x }"

  test('a mounted file is overwritten at the end of a good run, and its owner and mode stay', async (context) => {
    requireOfMachine(context, ...MOUNTS)
    const { dir, path, write, read } = tempSpace()
    write({ 'job.mjs': JOB, mounted: 'before\n', 'sub/out': '', 'locked/out': '' })
    chmodSync(path('mounted'), 0o640)
    chownSync(path('mounted'), 65534, 65533)
    // Below `locked` nothing can be created, so that the results wait elsewhere.
    const script = `
      poolrun_in_mounts() {
        mount --bind mounted sub/out
        mount --bind locked locked && mount -o remount,ro,bind locked && mount --bind mounted locked/out
        imap() { "$NODE" "$POOLRUN_JS" imap job.mjs "$@"; }
        imap -o sub/out 1 bad; code=$?; echo $code $(cat sub/out)
        imap -o sub/out 1 2 3 4 5; code=$?; echo $code $(cat sub/out)
        imap -o locked/out 6; code=$?; echo $code $(cat locked/out)
      }
      export -f poolrun_in_mounts
      unshare -m bash -c poolrun_in_mounts`
    const { stdout, stderr } = await runShell(script, { ...inParent, cwd: dir, timeoutMs: 60_000 })
    expect(stdout, stderr).toBe('1 before\n0 1 2 3 4 5\n0 6\n')
    expect(read('mounted')).toBe('6\n')
    const { uid, gid, mode } = statSync(path('mounted'))
    expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 65534, gid: 65533, mode: 0o640 })
    expect([...readdirSync(path('sub')), ...readdirSync(path('locked'))]).toEqual(['out', 'out'])
  }, 70_000)

  test('a file of another user in a sticky folder of a third is overwritten', async (context) => {
    requireOfMachine(context, ...FEWER_POWERS)
    const { dir, path, write, read } = tempSpace()
    write({ 'job.mjs': JOB, 'sticky/out': 'before\n' })
    chownSync(path('sticky'), 65533, 65533)
    chmodSync(path('sticky'), 0o1777)
    chownSync(path('sticky/out'), 65534, 65534)
    const { ino } = statSync(path('sticky/out'))
    const script =
      'setpriv --bounding-set -fowner,-chown "$NODE" "$POOLRUN_JS" imap job.mjs -o sticky/out --errors errors 1'
    const { exitCode, stderr } = await runShell(script, { ...inParent, cwd: dir })
    expect(exitCode, stderr).toBe(0)
    expect(read('sticky/out')).toBe('1\n')
    expect(statSync(path('sticky/out'))).toMatchObject({ uid: 65534, gid: 65534, ino })
    expect(readdirSync(path('sticky'))).toEqual(['out'])
  })
})

// Every spelling and role is in test/unit/run/same-file.test.ts, but for the streams that poolrun is given.
describe('a file with two roles', () => {
  test.each([
    'poolrun collect job.mjs -i f --errors ./f',
    'poolrun collect job.mjs --report json=link < f',
    'poolrun collect job.mjs -i f --errors out > out',
    'poolrun collect job.mjs -i f >> f',
    'poolrun collect job.mjs < f >> f',
    'poolrun collect job.mjs -i f --errors log 2>> log; code=$?; cat log >&2; exit $code',
  ])('is refused, and nothing is touched: %s', async (script) => {
    const { dir, write, read } = tempSpace()
    write({ f: '1\n2\n', 'job.mjs': 'export default (x) => x\n' })
    symlinkSync('f', join(dir, 'link'))
    const { exitCode, stderr, stdout } = await runShell(script, { ...inParent, cwd: dir })
    expect(stderr).toContain('name the same file')
    expect(stderr).not.toContain('undefined')
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(read('f')).toBe('1\n2\n')
  })

  test.each(['poolrun imap job.mjs -i f -o ./f', 'poolrun imap job.mjs -o hard < f && mv hard f'])(
    'may be input and output: %s',
    async (script) => {
      const { dir, write, read } = tempSpace()
      write({ f: '1\n2\n', 'job.mjs': 'export default (x) => x + 1\n' })
      linkSync(join(dir, 'f'), join(dir, 'hard'))
      expect((await runShell(script, { ...inParent, cwd: dir })).exitCode).toBe(0)
      expect(read('f')).toBe('2\n3\n')
    },
  )

  test('may be /dev/null', async () => {
    const args = ['-o', '/dev/null', '--errors', '/dev/null', '--report', 'json=/dev/null']
    expect((await runCli(['collect', fixture('identity'), ...args, '1'], inParent)).exitCode).toBe(0)
  })
})

describe('--envelope', () => {
  test('has index, outcome, attempts and duration of every item, with the failures of collect between them', async () => {
    const { stdout } = await runCli(['collect', fixture('slow'), '--envelope', '--timeout', '300ms'], {
      input: lines(10, 11, 60_000, 13),
    })
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map((row) => Object.keys(row))).toEqual([
      ['index', 'ok', 'value', 'attempts', 'ms'],
      ['index', 'ok', 'value', 'attempts', 'ms'],
      ['index', 'ok', 'error', 'attempts', 'ms'],
      ['index', 'ok', 'value', 'attempts', 'ms'],
    ])
    expect(rows[2]).toMatchObject({
      index: 2,
      ok: false,
      error: { name: 'TimeoutError', timeoutMs: 300 },
      attempts: 1,
      ms: 300,
    })
    for (const index of [0, 1, 3]) expect(rows[index].ms).toBeGreaterThan(0)
  })

  test('is one array with --format json', async () => {
    const args = ['map', fixture('identity'), '--envelope', '--format', 'json', '5', '6']
    const { stdout } = await runCli(args, inParent)
    expect(JSON.parse(stdout)).toMatchObject([
      { index: 0, ok: true, value: 5, attempts: 1 },
      { index: 1, ok: true, value: 6, attempts: 1 },
    ])
  })
})

describe('--errors', () => {
  const read = (path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))

  test('has one line per failed item, with the item as in the input', async () => {
    const path = join(tempSpace().dir, 'errors.ndjson')
    const input = '[{"n": 1,\n "big": 12345678901234567890},\n"two"]'
    const { exitCode } = await runCli(['collect', fixture('throws-subclass-with-props'), '--errors', path], {
      input,
    })
    expect(exitCode).toBe(3)
    const rows = read(path).sort((a, b) => a.index - b.index)
    expect(rows).toHaveLength(2)
    expect(Object.keys(rows[0])).toEqual(['index', 'item', 'kind', 'attempts', 'error'])
    expect(readFileSync(path, 'utf8')).toContain('12345678901234567890')
    expect(rows[1]).toMatchObject({ index: 1, item: 'two', kind: 'error', attempts: 1 })
    expect(rows[1].error.stack).toMatch(
      /\n {4}at .*test\/fixtures\/jobs\/throws-subclass-with-props\.ts:\d+:\d+/,
    )
  })

  test('has bad lines, crashes and timeouts too', async () => {
    const path = join(tempSpace().dir, 'errors.ndjson')
    await runCli(['collect', fixture('kills-self-always'), '--errors', path, '--max-worker-restarts', '5'], {
      input: '{bad}\n1\n',
    })
    const rows = read(path).sort((a, b) => a.index - b.index)
    expect(rows[0]).toMatchObject({ item: '{bad}', kind: 'input', error: { position: '<stdin>:1:2' } })
    expect(rows[1]).toMatchObject({
      item: 1,
      kind: 'crash',
      error: { name: 'WorkerLostError', signal: 'SIGKILL' },
    })
  })

  test('has the failed items as input for another run', async () => {
    const path = join(tempSpace().dir, 'errors.ndjson')
    await runCli(['collect', fixture('throws-error'), '--errors', path], { ...inParent, input: numbers })
    const items = read(path).map(({ item }) => item)
    expect(items.length).toBeGreaterThan(0)
    const { stdout } = await runCli(['collect', fixture('identity')], {
      ...inParent,
      input: lines(...items),
    })
    expect(stdout).toBe(lines(...items))
  })
})
