// poolrun between other programs: readers that leave, disks that are full, inputs without an end.
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { fixture, runCli, runShell, startCli } from '../helpers/run-cli.js'

const identity = fixture('identity')

it('ends at once, with code 141 and no stack, when its reader has seen enough', async () => {
  const run = await runShell(`seq 1000000 | poolrun imap ${identity} | head -3; echo "\${PIPESTATUS[1]}"`)
  expect(run.stdout).toBe('1\n2\n3\n141\n')
  expect(run.stderr).not.toMatch(/^ {4}at |EPIPE/m)
  expect(run.durationMs).toBeLessThan(5000)
})

it.each(['imap-unordered', 'collect'])('%s ends under an endless input, too', async (command) => {
  const run = await runShell(`yes 7 | poolrun ${command} ${identity} | head -1; echo "\${PIPESTATUS[1]}"`)
  expect(run.stdout).toBe('7\n141\n')
  expect(run.stderr).not.toMatch(/^ {4}at |EPIPE/m)
})

it('takes nothing from a pipe before there is something to do with it', async () => {
  const job = 'test/fixtures/broken/syntax-error.ts'
  const run = await runShell(`seq 20000 | { poolrun map ${job}; echo "$?"; wc -l; }`)
  expect(run.stdout.split('\n').map(Number)).toEqual([5, 20_000, 0])
})

it('map notices that its reader has gone, though it writes last', async () => {
  const run = await runShell(
    `poolrun map ${fixture('big-result')} 3000000 3000000 | true; echo "\${PIPESTATUS[0]}"`,
  )
  expect(run.stdout).toBe('141\n')
  expect(run.stderr).not.toMatch(/^ {4}at |EPIPE/m)
})

it.runIf(existsSync('/dev/full'))('ends with code 7 and says why when the disk is full', async () => {
  const run = await runShell(`poolrun imap ${identity} 1 2 3 > /dev/full`)
  expect(run.stderr).toMatch(/ENOSPC|no space/i)
  expect(run.stderr).not.toMatch(/^ {4}at /m)
  expect(run.exitCode).toBe(7)
})

it('does not mind that nobody reads stderr', async () => {
  const run = startCli(['collect', fixture('throws-error'), '-j', '1'])
  run.child.stderr.destroy()
  run.child.stdin.end('0\n1\n2\n3\n')
  const { stdout, exitCode } = await run.ended()
  expect(stdout).toBe('0\n1\n3\n')
  expect(exitCode).toBe(3)
})

it('writes a large result whole into a pipe', async () => {
  const run = await runShell(`poolrun apply ${fixture('big-result')} 8000000 | wc -c`)
  expect(run.stdout.trim()).toBe('8000003')
})

it('stops reading while nobody reads what it writes', async () => {
  const run = startCli(['imap', identity, '-j', '2'], { unread: true })
  const bytesRead = () =>
    Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${run.child.pid}/io`, 'utf8'))?.[1])
  const item = `"${'x'.repeat(1000)}"\n`.repeat(100)
  run.child.stdin.on('error', () => {})
  let offered = 0
  const offer = () => {
    while (run.child.stdin.writable && run.child.stdin.write(item)) offered += item.length
  }
  run.child.stdin.on('drain', offer)
  offer()

  // Settled: a second passed without a byte being read, after it had begun.
  let [seen, quiet] = [0, 0]
  while (quiet < 20 && offered < 200_000_000) {
    await pause(50)
    const now = bytesRead()
    quiet = now === seen && offered > 1_000_000 ? quiet + 1 : 0
    seen = now
  }
  expect(offered).toBeLessThan(100_000_000)

  run.child.stdout.destroy()
  expect(await run.ended()).toMatchObject({ exitCode: 141 })
})

it('ends a run whose items come from a program that was killed with what there was', async () => {
  const run = await runShell(`(echo 1; echo 2; kill -9 $BASHPID) | poolrun imap ${identity}`)
  expect(run.stdout).toBe('1\n2\n')
  expect(run.exitCode).toBe(0)
})

it('works with a stdin that is closed', async () => {
  const run = await runShell(`poolrun map ${identity} 1 <&-`)
  expect(run).toMatchObject({ stdout: '1\n', exitCode: 0 })
  expect((await runCli(['map', identity, '1'])).stdout).toBe('1\n')
})
