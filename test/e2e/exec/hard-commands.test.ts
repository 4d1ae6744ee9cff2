// What GNU parallel tries on other tools: much output, hostile names, long input, a full disk, signals.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root, runCli, runShell, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const parsed = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown)

/** Of a text of one character: how often it is there. */
function inShort(text: unknown): string {
  const { length, 0: character = '' } = String(text)
  return text === character.repeat(length) ? `${length} ${character}` : `mixed: ${String(text).slice(0, 80)}`
}

describe('output', () => {
  test('of commands that run at the same time is never mixed, with 400 KB on a line or without its end', async () => {
    const one = `head -c 200000 /dev/zero | tr '\\0' {}`
    const { stdout, stderr } = await runCli([
      'map',
      ...['-j', '4'],
      ...['--exec', `${one}; { ${one}; ${one}; } >&2; echo >&2; ${one}; ${one} >&2`],
      ...['a', 'b', 'c', 'd'],
    ])
    const items = ['a', 'b', 'c', 'd']
    // Compared in short: a difference of so much text is not for reading.
    expect(parsed(stdout).map(inShort)).toEqual(items.map((item) => `400000 ${item}`))
    // Of very long lines, the pieces.
    const pieces = stderr.split('\n').map(inShort)
    expect(pieces.filter((piece) => piece.startsWith('mixed'))).toEqual(['mixed: poolrun map: 4 ok'])
    for (const item of items) {
      const sizes = pieces.filter((piece) => piece.endsWith(` ${item}`)).map(Number.parseFloat)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(600_000)
    }
  })

  test('of any size goes to --results without passing through memory', async () => {
    const space = tempSpace()
    const { exitCode, stderr } = await runCli([
      'map',
      ...['--max-memory', '120mb', '-j', '4', '--results', space.path('out')],
      ...['--exec', 'head -c 20000000 /dev/zero # {}'],
      ...Array.from({ length: 8 }, (_, i) => `${i}`),
    ])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'poolrun map: 8 ok\n' })
    expect(readdirSync(space.path('out'))).toHaveLength(16)
  })

  const inTmpfs = (script: string) => [
    '-m',
    'sh',
    '-c',
    `mount -t tmpfs -o size=1m none /mnt && ${script}`,
    'sh',
    process.execPath,
    `${root}/bin/poolrun.js`,
  ]
  const mayMount = spawnSync('unshare', inTmpfs('true')).status === 0
  if (!mayMount) console.warn('SKIPPED: a full disk needs the right to mount')

  test.skipIf(!mayMount)('fails its item where the disk is full, although the command ignores that', () => {
    const command = `{ yes {} | head -c {}; } 2> /dev/null; true`
    const args = ['collect', '-j', '1', '--results', '/mnt/out', '--exec', command, '10', '3000000']
    const { stdout, stderr } = spawnSync('unshare', [...inTmpfs('exec "$@"'), ...args], { encoding: 'utf8' })
    expect(parsed(stdout)).toEqual([{ out: '/mnt/out/0.out', err: '/mnt/out/0.err', exitCode: 0 }])
    expect(stderr).toContain(
      'CommandError: its output may be incomplete, /mnt/out/1.out takes no more (ENOSPC: no space left on device): { yes ',
    )
  })

  test('has a folder, or the run does not start', async () => {
    const { stdout, stderr } = await runShell(`
      poolrun map --results /proc/none --exec echo a; echo $?
      poolrun map --results package.json --exec echo a; echo $?`)
    expect(stdout).toBe('7\n7\n')
    expect(stderr).toBe(`poolrun map: cannot write the results of commands to /proc/none: it does not exist
poolrun map: cannot write the results of commands to package.json: it is not a folder
`)
  })
})

describe('input', () => {
  test('names that are syntax elsewhere, in composed commands with the placeholder many times', async () => {
    const space = tempSpace()
    const names = [
      "it's",
      'a b',
      '$(touch injected)',
      '-n',
      'x;touch injected',
      '"',
      'new\nline',
      '\\',
      '*',
      '`id`',
    ]
    space.write(Object.fromEntries(names.map((name) => [`in/${name}`, name])))
    const command = `[ -s {} ] && cat {} > {}.copy || exit 9
      for copy in {}.copy "{}.copy" '{}'.copy; do [ -s "$copy" ] || exit 8; done; { cat < {}; } | tr -d '\\0'; rm {}.copy; basename -- {}`
    const { stdout } = await runCli(['map', '--glob', 'in/*', '--format', 'json', '--exec', command], {
      cwd: space.dir,
    })
    expect(JSON.parse(stdout)).toEqual(names.toSorted().map((name) => `${name}${name}`))
    expect(readdirSync(space.dir)).toEqual(['in'])
  })

  test('of 10,000 lines at a time, and of lines of 100 KB', async () => {
    const { stdout } = await runShell(`
      seq 20000 | poolrun map --batch 10000 --input-format lines --exec 'printf "%s\\n" {} | cksum'
      for i in 1 2; do head -c 100000 /dev/zero | tr '\\0' $i; echo; done |
        poolrun map --input-format lines --exec 'printf %s {} | wc -c; echo {} | head -c 1'`)
    const { stdout: expected } = spawnSync('bash', ['-c', 'seq 20000 | split -l 10000 --filter=cksum'], {
      encoding: 'utf8',
    })
    const sums = parsed(stdout)
    expect(sums.slice(0, 2)).toEqual(expected.trim().split('\n'))
    expect(sums.slice(2)).toEqual(['100000\n1', '100000\n2'])
  })
})

test('with few descriptors, fewer commands run at the same time', async () => {
  const { stdout, stderr } = await runShell(
    'ulimit -n 60; seq 40 | poolrun map -j 40 --exec-output none --exec "sleep 0.2 # {}" | wc -l',
  )
  expect(stdout).toBe('40\n')
  expect(stderr).toBe('poolrun map: 40 ok\n')
})

describe('the end of a command', () => {
  test('is told exactly: each exit code, each signal', async () => {
    const ends = ['1', '2', '125', '126', '255', 'TERM', 'INT', 'SEGV', 'PIPE', '0']
    const { stdout } = await runCli([
      'collect',
      ...['--errors', '/dev/stdout', '-o', '/dev/null', '--exec'],
      'case {} in [0-9]*) exit {};; *) kill -s {} $$;; esac',
      ...ends,
    ])
    const errors = parsed(stdout) as { error: { exitCode: number | null; signal: string | null } }[]
    expect(errors.map(({ error }) => error.exitCode ?? error.signal)).toEqual([
      ...[1, 2, 125, 126, 255],
      ...['SIGTERM', 'SIGINT', 'SIGSEGV', 'SIGPIPE'],
    ])
  })

  // Which signals end a run, and how, is in test/unit/run/interrupt.test.ts.
  test('comes with a signal to poolrun, for all that it has started', async () => {
    const run = watchCli([
      'map',
      ...['-j', '2', '--grace', '0', '--kill-after', '200ms'],
      ...['--exec', 'trap "" TERM INT; sleep 60 & echo up >&2; sleep 60 # {}', 'a', 'b', 'c'],
    ])
    await run.printed(/up\nup/)
    run.child.kill('SIGINT')
    const { stderr, signal } = await run.ended()
    expect(signal).toBe('SIGINT')
    expect(stderr).toContain('2 cancelled while running (items 0, 1), 1 not run')
  })

  test('leaves no process and no temporary file, even by kill -9 of poolrun', async () => {
    const space = tempSpace()
    const run = watchCli(
      ['map', '-j', '2', '--exec', 'seq 100000; echo up >&2; sleep 60 & sleep 60 # {}', 'a', 'b'],
      {
        env: { TMPDIR: space.dir },
      },
    )
    await run.printed(/up\nup/)
    run.child.kill('SIGKILL')
    await run.ended()
    expect(readdirSync(space.dir)).toEqual([])
  })
})
