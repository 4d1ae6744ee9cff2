// Readers that leave, disks that are full, readers and items that are slow: the streams at their limits.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lines, runShell, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { eventually, fixture } from './support.js'

const identity = fixture('identity')

it.each(['imap', 'imap-unordered', 'collect'])('%s | head -1 ends at once with code 141', async (command) => {
  const run = await runShell(
    `seq 1000000 | poolrun ${command} ${identity} | head -1; echo "\${PIPESTATUS[1]}"`,
  )
  expect(run.stdout).toMatch(/^\d+\n141\n$/)
  expect(run.stderr).toBe('')
})

describe.runIf(existsSync('/dev/full'))('a full disk', () => {
  it.each(['map', 'imap', 'imap-unordered', 'collect', 'apply'])(
    'ends %s with code 7 and a message',
    async (command) => {
      const run = await runShell(`poolrun ${command} ${identity} 1 > /dev/full`)
      expect(run.stderr).toMatch(/^poolrun \S+: .*(ENOSPC|no space)/im)
      expect(run.stderr).not.toMatch(/^ {4}at /m)
      expect(run.exitCode).toBe(7)
    },
  )

  it('under stderr does not matter', async () => {
    const run = await runShell(`poolrun collect ${fixture('throws-error')} 0 1 2 3 2> /dev/full`)
    expect(run).toMatchObject({ stdout: '0\n1\n3\n', exitCode: 3 })
  })
})

it('a result larger than a pipe is written whole before a run ends in failure', async () => {
  const run = await runShell(
    `poolrun imap ${fixture('writes-then-throws')} -j 1 0 1 | wc -c; echo "\${PIPESTATUS[0]}"`,
  )
  expect(run.stdout.trim().split(/\s+/)).toEqual(['4000003', '1'])
})

it('a job whose first item waits for the last keeps all of them, in order, in little memory', async () => {
  const items = 20_000
  const init = ['--init-args', JSON.stringify([tempSpace().path('flag'), items - 1])]
  const run = startCli(['imap', fixture('first-waits-for-last'), '-j', '2', ...init], {
    unread: true,
    timeoutMs: 60_000,
  })
  run.child.stdin.on('error', () => {})
  run.child.stdin.end(lines(...Array(items).keys()))
  let size = 0
  let peak = 0
  run.child.stdout.on('data', (data: Buffer) => {
    size += data.length
    peak = Math.max(peak, highWaterMark(run.child.pid))
  })
  run.child.stdout.resume()
  expect(await run.ended()).toMatchObject({ exitCode: 0 })
  expect(size).toBe(items * 1003)
  expect(peak).toBeLessThan(250 << 20)
})

it('nobody reading is not a reason to grow: poolrun stops, and goes on when somebody does', async () => {
  const begun = tempSpace().path('begun')
  const run = startCli(
    ['imap', fixture('first-waits-for-last'), '-j', '2', '--init-args', JSON.stringify([begun, 0])],
    {
      unread: true,
      timeoutMs: 60_000,
    },
  )
  const items = 60_000
  run.child.stdin.on('error', () => {})
  run.child.stdin.end(lines(...Array(items).keys()))
  // It stands still: once there was work, no processor time is used for half a second.
  let before = -1
  let next = 0
  await eventually('poolrun to stand still', () => {
    const now = processorTime(run.child.pid)
    const still = existsSync(begun) && now === before && performance.now() > next
    if (now !== before) next = performance.now() + 500
    before = now
    return still ? true : undefined
  })
  const full = highWaterMark(run.child.pid)
  let size = 0
  run.child.stdout.on('data', (data: Buffer) => {
    size += data.length
  })
  run.child.stdout.resume()
  expect(await run.ended()).toMatchObject({ exitCode: 0 })
  expect(size).toBe(items * 1003)
  expect(full).toBeLessThan(250 << 20)
})
/** Of the process, in bytes; 0 when it is gone. */
function highWaterMark(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Of the process, in ticks of the kernel. */
function processorTime(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
