// Commands as items, with real shells: results, failures, refusals, and what is left behind.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runCli, runShell } from '../../helpers/run-cli.js'

const folder = mkdtempSync(join(tmpdir(), 'poolrun-exec-'))
afterAll(() => rmSync(folder, { recursive: true }))

const parsed = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown)

describe('results', () => {
  test('stdout is the result of the item, whatever characters it has', async () => {
    const items = ['a b', "it's", '$(touch injected)', '"`;&|', 'ü\n\n', '-n', '']
    const { stdout, exitCode } = await runCli([
      'map',
      '--strings',
      '-j',
      '3',
      '--exec',
      `printf '%s|%s' {} '{#}'`,
      '--',
      ...items,
    ])
    expect(exitCode).toBe(0)
    expect(parsed(stdout)).toEqual(items.map((item, i) => `${item}|${i}`))
  })

  test('each form of output', async () => {
    const script = `
      poolrun imap --exec-output lines --exec 'printf "a\\nb\\n"' 1
      poolrun imap --exec-output lines --exec 'true' 1
      poolrun imap --exec-output json --exec 'cat' --exec-stdin '{"a":1}'
      poolrun imap --exec-output none --exec 'head -c 100000 /dev/zero # {}' --max-output 10 1
      poolrun imap --exec 'printf "x\\n\\n"' 1
      poolrun apply --exec 'echo' a 'b c'
      poolrun imap --batch 2 --exec 'echo {} {#}' a 'b c' d`
    const { stdout } = await runShell(script)
    expect(parsed(stdout)).toEqual(['a', 'b', { a: 1 }, null, 'x\n', 'a b c', 'a b c 0', 'd 1'])
  })

  test('output that cannot be a result fails its item and names --results', async () => {
    const script = `
      poolrun collect --exec 'printf "\\377"' 1
      poolrun collect --max-output 10 --exec 'yes' 1
      poolrun collect --exec-output json --exec 'echo {' 1`
    const { stdout, stderr } = await runShell(script)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/ResultEncodingError: .*not UTF-8.*--results/)
    expect(stderr).toMatch(/ResultEncodingError: .*--max-output.*--results/)
    expect(stderr).toMatch(/ResultEncodingError: .*not JSON/)
  })

  test('--results keeps both streams unchanged, of failed commands, too', async () => {
    const results = join(folder, 'results')
    const { stdout, exitCode } = await runCli([
      'collect',
      '--results',
      results,
      '--exec',
      'printf "\\377 {}"; echo err >&2; exit {}',
      '0',
      '3',
    ])
    expect(exitCode).toBe(3)
    expect(parsed(stdout)).toEqual([
      { out: join(results, '0.out'), err: join(results, '0.err'), exitCode: 0 },
    ])
    expect(readdirSync(results).sort()).toEqual(['0.err', '0.out', '1.err', '1.out'])
    expect(readFileSync(join(results, '1.out'))).toEqual(Buffer.from([0xff, 0x20, 0x33]))
    expect(readFileSync(join(results, '1.err'), 'utf8')).toBe('err\n')
  })

  test('stdin is empty, and the environment tells the item', async () => {
    const { stdout } = await runCli(
      ['imap', '-j', '2', '--exec', 'cat; echo "$POOLRUN_ITEM $POOLRUN_INDEX $POOLRUN_ATTEMPT" {}'],
      { input: '"a"\n"b"\n' },
    )
    expect(parsed(stdout)).toEqual(['a 0 1 a', 'b 1 1 b'])
  })

  test('slots are unique among the commands that run at the same time, and below -j', async () => {
    const run = `mkdir ${folder}/slot-{%} || exit 1; sleep 0.05; rmdir ${folder}/slot-{%}; echo {%} $POOLRUN_SLOT`
    const items = Array.from({ length: 15 }, (_, i) => String(i))
    const { stdout, exitCode } = await runCli(['map', '-j', '5', '--exec', run, ...items])
    expect(exitCode).toBe(0)
    const slots = parsed(stdout).map((line) => String(line).split(' '))
    expect(slots.every(([text, variable]) => text === variable)).toBe(true)
    expect(new Set(slots.map(([slot]) => Number(slot)))).toEqual(new Set([0, 1, 2, 3, 4]))
  })

  test('lines of stderr are whole, and attributed to their command', async () => {
    const { stderr } = await runCli([
      'map',
      '-j',
      '4',
      '--tag',
      '--exec',
      'for i in 1 2 3; do printf {} >&2; sleep 0.01; echo " $i" >&2; done',
      'a',
      'b',
      'c',
      'd',
    ])
    const lines = stderr.split('\n').filter((line) => line.startsWith('['))
    const texts = [0, 1, 2, 3].map((i) =>
      lines.filter((line) => line.startsWith(`[#${i} `)).map((line) => line.slice(line.indexOf(']') + 2)),
    )
    expect(texts).toEqual(['a', 'b', 'c', 'd'].map((item) => [1, 2, 3].map((i) => `${item} ${i}`)))
  })
})

describe('failures', () => {
  test('say the exact command, its code or signal, and its last lines of stderr', async () => {
    const errors = join(folder, 'errors.ndjson')
    const { stderr, exitCode } = await runCli([
      'collect',
      '--errors',
      errors,
      '--exec',
      'seq 1 12 >&2; [ {} = k ] && kill -9 $$; exit {}',
      '3',
      'k',
    ])
    expect(exitCode).toBe(3)
    expect(stderr).toContain(
      'CommandError: exited with code 3: seq 1 12 >&2; [ 3 = k ] && kill -9 $$; exit 3\n    | 3\n    | 4\n',
    )
    expect(stderr).toContain('CommandError: killed by SIGKILL: ')
    const [first, second] = parsed(readFileSync(errors, 'utf8')) as {
      kind: string
      error: Record<string, unknown>
    }[]
    expect(first).toMatchObject({ kind: 'error', error: { name: 'CommandError', exitCode: 3, signal: null } })
    expect(first!.error.stderrTail).toHaveLength(10)
    expect(second!.error).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
  })

  test('a missing field is no empty string, and what no argument can carry names --exec-stdin', async () => {
    const script = `
      echo '{"a":1}' | poolrun collect --exec 'echo {item.b}'
      printf 'a\\0b' > ${folder}/nul.txt; poolrun collect -i ${folder}/nul.txt --exec 'echo {}'
      head -c 200000 /dev/zero | tr '\\0' x | poolrun collect --input-format lines --exec 'echo {}'
      head -c 200000 /dev/zero | tr '\\0' x | poolrun collect --input-format lines --exec-stdin --exec 'wc -c'`
    const { stdout, stderr } = await runShell(script)
    expect(stderr).toMatch(/InputValidationError: item 0 .*\n {2}it has no field b/)
    expect(stderr).toMatch(/ArgumentEncodingError: .*NUL.*--exec-stdin/)
    expect(stderr).toMatch(/ArgumentEncodingError: .*200,000 bytes.*--exec-stdin/)
    expect(parsed(stdout)).toEqual(['200000'])
  })

  test('a timeout kills the process group of the command and nothing else', async () => {
    const { stdout, stderr, durationMs } = await runCli([
      'collect',
      '-j',
      '3',
      '--timeout',
      '600ms',
      '--exec',
      '(trap "" TERM; sleep {}; true) & sleep {}; echo done {}',
      '--kill-after',
      '200ms',
      '0',
      '30',
      '0.1',
    ])
    expect(parsed(stdout)).toEqual(['done 0', 'done 0.1'])
    expect(stderr).toContain(
      'TimeoutError: item 1 exceeded 600 ms; the command was killed: (trap "" TERM; sleep 30; true) & ',
    )
    expect(durationMs).toBeLessThan(10_000)
  })

  test('a process that keeps the pipe open does not hang its item, and ends with it', async () => {
    const { stdout } = await runCli(['map', '--exec', 'sleep 30 & echo {}', 'a'])
    expect(parsed(stdout)).toEqual(['a'])
  })

  test.each([
    ['/bin/sh', 'no-such-program {}', 'no-such-program was not found'],
    ['/bin/sh', `${folder} {}`, 'cannot be executed'],
    ['none', 'no-such-program {}', 'no-such-program was not found'],
    ['/no/such/shell', 'true {}', '/no/such/shell: there is no such program'],
  ])('with --shell %s, %s ends the run with 5', async (shell, text, message) => {
    const { stderr, stdout, exitCode } = await runCli(['collect', '--shell', shell, '--exec', text, '1', '2'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('the item that ends the run because the command is missing is counted, named and reported', async () => {
    const { stdout, stderr } = await runShell(`
      poolrun collect -j 1 --report json=/dev/stdout --exec 'no-such-program {}' 1 2`)
    expect(stderr).toContain('poolrun collect: stopped: 0 ok, 1 failed (item 0), 1 not run\n')
    expect(JSON.parse(stdout)).toMatchObject({ failures: [{ index: 0 }], counts: { failed: 1, notRun: 1 } })
  })

  test('code 127 of a program that was found is a failure like any other', async () => {
    const { exitCode } = await runCli(['collect', '--exec', "sh -c 'exit 127' {}", '1', '2'])
    expect(exitCode).toBe(3)
  })

  test('retries run the command again', async () => {
    const { stdout, exitCode } = await runCli([
      'map',
      '--retries',
      '2',
      '--exec',
      'test $POOLRUN_ATTEMPT = 3 && echo {}',
      'a',
    ])
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '"a"\n' })
  })
})

test('--dry-run writes commands that sh runs as they would run', async () => {
  const script = `
    items() { printf 'a b\\0it'"'"'s\\0$HOME\\0x\\ny\\0'; }
    items | poolrun imap -0 -n --exec 'cd / && echo {} "<{}>" {#}' | sh
    items | poolrun imap -0 --exec 'cd / && echo {} "<{}>" {#}' --format raw
    items | poolrun imap -0 -n --exec-stdin --exec 'cat; echo "$POOLRUN_INDEX"' | sh
    items | poolrun imap -0 --exec-stdin --exec 'cat; echo "$POOLRUN_INDEX"' --format raw`
  const { stdout } = await runShell(script)
  const lines = stdout.split('\n').slice(0, -1)
  expect(lines.slice(0, 6)).toEqual(lines.slice(6, 12))
  expect(lines.slice(12, 17)).toEqual(lines.slice(17))
  expect(lines).toContain(`it's <it's> 1`)
})
