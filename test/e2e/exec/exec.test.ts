// Commands as items, with real shells: results, failures, refusals, and what is left behind.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  test('stdout is the result of the item without its last newline, whatever characters it has', async () => {
    const items = ['a b', "it's", '$(touch injected)', '"`;&|', 'ü\n\n', '-n', '']
    const command = `printf '%s|%s%s' {} '{#}' {}`
    const { stdout, exitCode } = await runCli(['map', '--strings', '--exec', command, '--', ...items])
    expect(exitCode).toBe(0)
    expect(parsed(stdout)).toEqual(items.map((item, i) => `${item}|${i}${item.replace(/\n$/, '')}`))
  })

  test('each form of output, and of items', async () => {
    const script = `export POOLRUN_PROCESSES=0
      poolrun imap --strings --exec-output lines --exec 'printf %s {}' $'a\nb\n' ''
      poolrun imap --exec-output json --exec 'cat' --exec-stdin '{"a":1}'
      poolrun imap --exec-output none --exec 'head -c 100000 /dev/zero # {}' --max-output 10 1
      poolrun apply --exec 'echo' a 'b c'
      poolrun imap --batch 2 --exec 'echo {} {#}' a 'b c' d`
    const { stdout } = await runShell(script)
    expect(parsed(stdout)).toEqual(['a', 'b', { a: 1 }, null, 'a b c', 'a b c 0', 'd 1'])
  })

  test('a number of an item keeps all its digits', async () => {
    const script = `export POOLRUN_INPUT_FORMAT=ndjson
      item='{"id":1202285736968061337,"x":1e400}'
      echo $item | poolrun imap -j 1 --exec-stdin --exec-output lines --exec 'cat; echo {item.id} {item.x}; echo "$POOLRUN_ITEM"'
      printf '%s\n' 1e400 12345678901234567890 | poolrun imap -j 0 --batch 2 --exec echo
      echo "$item" | poolrun imap -n --exec 'echo {item.id}' --format raw | sed 's/.*/"&"/'`
    const { stdout } = await runShell(script)
    const item = '{"id":1202285736968061337,"x":1e400}'
    expect(parsed(stdout)).toEqual([
      item,
      '1202285736968061337 1e400',
      item,
      '1e400 12345678901234567890',
      'echo 1202285736968061337',
    ])
  })

  test('output that cannot be a result fails its item and names --results', async () => {
    const script = `export POOLRUN_PROCESSES=0
      poolrun collect --max-output 10 --exec-stdin --exec sh 'printf "\\377"' yes
      poolrun collect --exec-output json --exec 'echo {' 1`
    const { stdout, stderr } = await runShell(script)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/ResultEncodingError: result of item 0 .*not UTF-8.*--results/)
    expect(stderr).toMatch(/ResultEncodingError: result of item 1 .*--max-output.*--results/)
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

  test('stdin is empty, the environment tells the item, and retries run the command again', async () => {
    const command =
      'cat; [ $POOLRUN_ATTEMPT -gt {#} ] && echo "$POOLRUN_ITEM $POOLRUN_INDEX $POOLRUN_ATTEMPT" {}'
    const { stdout, exitCode } = await runCli(['map', '--retries', '1', '--exec', command], {
      input: '"a"\n"b"\n',
    })
    expect(parsed(stdout)).toEqual(['a 0 1 a', 'b 1 2 b'])
    expect(exitCode).toBe(0)
  })

  test('commands that run at the same time have slots of their own below -j, and whole lines on stderr', async () => {
    // The first three wait for each other, so all slots are used.
    const run = `
      mkdir slot-{%} || exit 1
      touch began-{#}
      until [ -e began-0 ] && [ -e began-1 ] && [ -e began-2 ]; do sleep 0.02; done
      for i in 1 2 3; do printf {} >&2; sleep 0.01; echo " $i" >&2; done
      rmdir slot-{%}
      echo {%} $POOLRUN_SLOT`
    const items = ['a', 'b', 'c', 'd', 'e', 'f']
    const flags = ['-j', '3', '--chunk-size', '1', '--tag']
    const { stdout, stderr, exitCode } = await runCli(['map', ...flags, '--exec', run, ...items], {
      cwd: mkdtempSync(join(folder, 'slots-')),
    })
    expect(exitCode).toBe(0)
    const slots = parsed(stdout).map((line) => String(line).split(' '))
    expect(slots.every(([text, variable]) => text === variable)).toBe(true)
    expect(new Set(slots.map(([slot]) => Number(slot)))).toEqual(new Set([0, 1, 2]))
    const lines = stderr.split('\n').filter((line) => line.startsWith('['))
    const texts = items.map((_, i) =>
      lines.filter((line) => line.startsWith(`[#${i} `)).map((line) => line.slice(line.indexOf(']') + 2)),
    )
    expect(texts).toEqual(items.map((item) => [1, 2, 3].map((i) => `${item} ${i}`)))
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
    const cwd = mkdtempSync(join(folder, 'items-'))
    writeFileSync(join(cwd, 'items'), `a\0b\n${'x'.repeat(200_000)}`)
    const script = `
      poolrun collect -j 0 --exec 'echo {item.b}' '{"a":1}'
      poolrun collect -j 0 --input-format lines -i items --exec 'echo {}'
      poolrun collect -j 1 --input-format lines -i items --exec-stdin --exec 'wc -c'`
    const { stdout, stderr } = await runShell(script, { cwd })
    expect(stderr).toMatch(/InputValidationError: item 0 .*\n {2}it has no field b/)
    expect(stderr).toMatch(/ArgumentEncodingError: .*NUL.*--exec-stdin/)
    expect(stderr).toMatch(/ArgumentEncodingError: .*200,000 bytes.*--exec-stdin/)
    expect(parsed(stdout)).toEqual(['3', '200000'])
  })

  test('a timeout kills the process group of the command and nothing else; one that ends leaves no process', async () => {
    const { stdout, stderr } = await runCli([
      'collect',
      '-j',
      '3',
      '--timeout',
      '2s',
      '--exec',
      // Keeps the pipe open, and outlives a SIGTERM.
      '(trap "" TERM; sleep 60; true) & sleep {}; echo done {}',
      '--kill-after',
      '200ms',
      '0',
      '60',
      '0.1',
    ])
    expect(parsed(stdout)).toEqual(['done 0', 'done 0.1'])
    expect(stderr).toContain(
      'TimeoutError: item 1 exceeded 2 s; the command was killed: (trap "" TERM; sleep 60; true) & ',
    )
  })

  test.each([
    ['/bin/sh', `${folder} {}`, 'cannot be executed'],
    ['none', 'no-such-program {}', 'no-such-program was not found'],
    ['/no/such/shell', 'true {}', '/no/such/shell: there is no such program'],
  ])('with --shell %s, %s ends the run with 5', async (shell, text, message) => {
    const args = ['collect', '-j', '0', '--shell', shell, '--exec', text, '1', '2']
    const { stderr, stdout, exitCode } = await runCli(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('a missing command ends the run with 5, and its item is counted, named and reported', async () => {
    const errors = join(folder, 'errors')
    const args = [
      'collect',
      '-j',
      '1',
      '--report',
      'json=/dev/stdout',
      '--errors',
      errors,
      '--exec',
      'no-such-program {}',
      '1',
      '2',
    ]
    const { stdout, stderr, exitCode } = await runCli(args)
    expect(exitCode).toBe(5)
    expect(stderr).toContain('no-such-program was not found')
    expect(stderr).toContain('poolrun collect: stopped: 0 ok, 1 failed (item 0), 1 not run\n')
    expect(JSON.parse(stdout)).toMatchObject({ failures: [{ index: 0 }], counts: { failed: 1, notRun: 1 } })
    expect(parsed(readFileSync(errors, 'utf8'))).toMatchObject([{ index: 0, item: 1, kind: 'error' }])
  })

  test('code 127 of a program that was found is a failure like any other', async () => {
    const { exitCode } = await runCli(['collect', '-j', '0', '--exec', "sh -c 'exit 127' {}", '1', '2'])
    expect(exitCode).toBe(3)
  })
})

test('--dry-run writes commands that sh runs as they would run', async () => {
  const script = `export POOLRUN_PROCESSES=0
    items() { printf 'a b\\0it'"'"'s\\0$HOME\\0x\\ny\\0'; }
    poolrun_items() { items | poolrun imap -0 "$@"; }
    poolrun_items -n --exec 'cd / && echo {} "<{}>" {#}' | sh
    for dry in true false; do
      set -- --exec-stdin --exec 'cd / && echo {} "<{}>" {#}; cat; echo " $POOLRUN_INDEX"'
      if $dry; then poolrun_items -n "$@" | sh; else poolrun_items "$@" --format raw; fi
    done`
  const { stdout } = await runShell(script)
  const echoes = ['a b <a b> 0', "it's <it's> 1", '$HOME <$HOME> 2', 'x', 'y <x', 'y> 3']
  const read = ['a b 0', "it's 1", '$HOME 2', 'x', 'y 3']
  const both = [
    echoes[0],
    read[0],
    echoes[1],
    read[1],
    echoes[2],
    read[2],
    ...echoes.slice(3),
    ...read.slice(3),
  ]
  expect(stdout.split('\n')).toEqual([...echoes, ...both, ...both, ''])
})
