// Results held back in memory and in a temporary file.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { createSpool } from '../../../src/write/spool.js'
import { CollectingSink } from './collecting-sink.js'

describe('spool', () => {
  const results = Array.from({ length: 3000 }, (_, n) => Buffer.from(`"${n}:${'x'.repeat(n % 700)}"\n`))
  const whole = Buffer.concat(results).toString()

  test.each([1, 1000, 100_000, 64 * 1024 * 1024])(
    'writes everything in order, with a memory limit of %i bytes',
    async (memoryBytes) => {
      const directory = mkdtempSync(join(tmpdir(), 'spool-'))
      const spool = createSpool({ memoryBytes, directory })
      for (const result of results) await spool.write(result)
      expect(readdirSync(directory)).toEqual([])
      const sink = new CollectingSink()
      await spool.writeTo(sink)
      expect(sink.text).toBe(whole)
      await spool.discard()
      rmSync(directory, { recursive: true })
    },
  )

  test('keeps the order of writes that were not awaited', async () => {
    const spool = createSpool({ memoryBytes: 1000 })
    for (const result of results) void spool.write(result)
    const sink = new CollectingSink()
    await spool.writeTo(sink)
    expect(sink.text).toBe(whole)
  })

  test('copies results instead of keeping the message they came in', async () => {
    const spool = createSpool()
    const message = Buffer.from('1\n')
    spool.write(message)
    message.fill(0)
    const sink = new CollectingSink()
    await spool.writeTo(sink)
    expect(sink.text).toBe('1\n')
  })

  test('rejects every later write, and writeTo, if its directory cannot be written', async () => {
    const spool = createSpool({ memoryBytes: 1, directory: join(tmpdir(), 'none', 'such') })
    await expect(spool.write(Buffer.from('12\n'))).rejects.toThrow(OutputError)
    await expect(spool.write(Buffer.from('12\n'))).rejects.toThrow(
      /cannot hold results in .* does not exist; TMPDIR can name another folder/,
    )
    await expect(spool.writeTo(new CollectingSink())).rejects.toThrow(OutputError)
    await spool.discard()
  })

  test('waits for each write of the sink', async () => {
    const spool = createSpool({ memoryBytes: 1 })
    await spool.write(Buffer.alloc(1024 * 1024, 0x61))
    let open = 0
    await spool.writeTo({
      async write() {
        expect(++open).toBe(1)
        await new Promise(setImmediate)
        open--
      },
    })
  })
})
