// Memory stays flat: an input eight times as large must not cost the parent more than a little.
// POOLRUN_TEST_LARGE=1 adds the runs with 300 MB.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fixture, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const MB = 1 << 20
const RECORD = JSON.stringify({
  id: 1,
  name: 'a name, as "quoted" as [any]',
  tags: ['x', 'y'],
  note: 'n'.repeat(180),
})

function generate(file: string, bytes: number, format: 'ndjson' | 'json') {
  const [open, between, close] = format === 'json' ? ['[', ',\n', ']\n'] : ['', '\n', '\n']
  const block = `${RECORD}${between}`.repeat(4000)
  const fd = openSync(file, 'w')
  writeSync(fd, open)
  for (let written = 0; written < bytes; written += block.length) writeSync(fd, block)
  writeSync(fd, RECORD + close)
  closeSync(fd)
}

/** Peak resident memory of poolrun's own process, in bytes. */
async function peakOf(format: 'ndjson' | 'json', bytes: number): Promise<number> {
  const file = tempSpace().path(`records.${format}`)
  generate(file, bytes, format)
  const run = startCli(['imap', fixture('identity'), '-j', '2', '-i', file], {
    unread: true,
    timeoutMs: 120_000,
  })
  let size = 0
  let peak = 0
  run.child.stdout.on('data', (data: Buffer) => {
    size += data.length
    // The high-water mark only rises, so the last reading before the end is the peak.
    peak = Math.max(peak, highWaterMark(run.child.pid))
  })
  run.child.stdout.resume()
  const { exitCode } = await run.ended()
  expect(exitCode).toBe(0)
  expect(size).toBeGreaterThan(bytes * 0.99)
  return peak
}

/** Of the process, in bytes; 0 when it is gone. */
function highWaterMark(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

describe.runIf(process.platform === 'linux')('the peak of the parent', () => {
  it.each(['ndjson', 'json'] as const)(
    'does not grow with a larger %s input',
    async (format) => {
      // Both larger than the window; garbage between two collections is the rest of the difference. What held on to
      // its input would need the 128 MB that the one has more than the other.
      const small = await peakOf(format, 64 * MB)
      const large = await peakOf(format, 192 * MB)
      expect(small).toBeGreaterThan(20 * MB)
      expect(large - small).toBeLessThan(64 * MB)
      expect(large).toBeLessThan(170 * MB)
    },
    60_000,
  )

  it.runIf(process.env.POOLRUN_TEST_LARGE === '1').each(['ndjson', 'json'] as const)(
    'stays under 250 MB for 300 MB of %s',
    async (format) => {
      expect(await peakOf(format, 300 * MB)).toBeLessThan(250 * MB)
    },
    120_000,
  )
})
