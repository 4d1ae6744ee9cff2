// Memory stays flat, however large the input is and however slow the reader of the output.
// POOLRUN_TEST_LARGE=1 adds runs over 300 MB.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.js'
import { peakMemory, processorTime } from '../helpers/proc.js'
import { fixture, lines, type Started, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const MB = 1 << 20
const NOTE = 'n'.repeat(180)
const RECORD = JSON.stringify({
  id: 1,
  name: 'a name, as "quoted" as [any]',
  tags: ['x', 'y'],
  note: NOTE,
})

type Format = 'ndjson' | 'json'

/** Returns the number of records, at least one. */
function generate(file: string, bytes: number, format: Format): number {
  const [open, between, close] = format === 'json' ? ['[', ',\n', ']\n'] : ['', '\n', '\n']
  const block = `${RECORD}${between}`.repeat(4000)
  const fd = openSync(file, 'w')
  writeSync(fd, open)
  let blocks = 0
  for (; blocks * block.length < bytes; blocks++) writeSync(fd, block)
  writeSync(fd, RECORD + close)
  closeSync(fd)
  return blocks * 4000 + 1
}

interface Reading {
  /** Bytes of output. */
  size: number
  /** Peak memory of poolrun's own process when `markAt` bytes had been read, and at the end. */
  early: number
  peak: number
}

/** Reads all output of a run that has exit code 0. */
async function readToEnd({ child, ended }: Started, markAt = 0): Promise<Reading> {
  const reading: Reading = { size: 0, early: 0, peak: 0 }
  child.stdout.on('data', (data: Buffer) => {
    reading.size += data.length
    // The peak only rises, so the last value before the exit counts.
    reading.peak = Math.max(reading.peak, peakMemory(child.pid))
    if (reading.early === 0 && reading.size >= markAt) reading.early = reading.peak
  })
  child.stdout.resume()
  expect(await ended()).toMatchObject({ exitCode: 0 })
  return reading
}

const ECHO = { job: 'export default (record) => record', result: RECORD }
const COUNT = { job: 'export default ({ note }) => note.length', result: `${NOTE.length}` }

/** Marks the memory when this share of the output has been read. */
async function readOver(format: Format, bytes: number, { job, result } = ECHO, share = 0): Promise<Reading> {
  const space = tempSpace()
  const file = space.path(`records.${format}`)
  const size = generate(file, bytes, format) * (result.length + 1)
  const run = startCli(['imap', space.write({ 'job.mjs': job }), '-i', file], {
    unread: true,
    timeoutMs: 120_000,
  })
  const reading = await readToEnd(run, size * share)
  expect(reading.size).toBe(size)
  return reading
}

describe.runIf(process.platform === 'linux')('the memory of the parent', () => {
  it('does not grow with a larger input and output in ndjson, and a larger input in json', async () => {
    const footprint = (await readOver('ndjson', 1)).peak
    // By the mark the flow window has been full; what follows differs by garbage only, less of it without the output. A
    // parent that kept its input would need twice what is allowed.
    for (const [garbage, { early, peak }] of [
      [44 * MB, await readOver('ndjson', 128 * MB, ECHO, 40 / 128)],
      [24 * MB, await readOver('json', 88 * MB, COUNT, 40 / 88)],
    ] as const) {
      expect(early).toBeGreaterThan(footprint)
      expect(peak - early).toBeLessThan(garbage)
      expect(peak - footprint).toBeLessThan(100 * MB)
    }
  }, 120_000)

  it.runIf(process.env.POOLRUN_TEST_LARGE === '1').each(['ndjson', 'json'] as const)(
    'stays under 250 MB for 300 MB of %s',
    async (format) => {
      expect((await readOver(format, 300 * MB)).peak).toBeLessThan(250 * MB)
    },
    120_000,
  )

  it('is bounded while results wait for the first item, and all of them arrive in order', async () => {
    const items = 20_000
    const init = ['--init-args', JSON.stringify([tempSpace().path('flag'), items - 1])]
    const run = startCli(['imap', fixture('first-waits-for-last'), '-j', '2', ...init], {
      unread: true,
      timeoutMs: 60_000,
    })
    run.child.stdin.on('error', () => {})
    run.child.stdin.end(lines(...Array(items).keys()))
    const { size, peak } = await readToEnd(run)
    expect(size).toBe(items * 1003)
    expect(peak).toBeLessThan(250 * MB)
  })

  it('is bounded while nobody reads the output: poolrun stops reading, and resumes when somebody does', async () => {
    const run = startCli(['imap', fixture('identity'), '-j', '2'], { unread: true, timeoutMs: 60_000 })
    const { stdin } = run.child
    const items = `"${'x'.repeat(1000)}"\n`.repeat(100)
    let offered = 0
    const offer = () => {
      while (offered < 200 * MB) {
        offered += items.length
        if (!stdin.write(items)) return
      }
    }
    stdin.on('drain', offer)
    offer()
    const bytesRead = () =>
      Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${run.child.pid}/io`, 'utf8'))?.[1])

    // Poolrun has stopped when for half a second it has neither read a byte nor used the processor.
    let before = ''
    let since = performance.now()
    await eventually(
      'poolrun to stop reading',
      () => {
        const now = `${bytesRead()} ${processorTime(run.child.pid)}`
        if (now !== before || offered < MB) since = performance.now()
        before = now
        return performance.now() - since > 500 ? true : undefined
      },
      50_000,
    )
    expect(offered).toBeLessThan(100 * MB)
    expect(peakMemory(run.child.pid)).toBeLessThan(250 * MB)

    stdin.off('drain', offer)
    stdin.end()
    expect((await readToEnd(run)).size).toBe(offered)
  })
})
