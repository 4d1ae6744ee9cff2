// What results look like in each format, and the spool that holds them back.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import type { ByteSink } from '../../../src/write/output.js'
import { createSpool } from '../../../src/write/spool.js'
import { createWriter, type WriterOptions } from '../../../src/write/writer.js'

class Collected implements ByteSink {
  readonly parts: Uint8Array[] = []
  write(bytes: Uint8Array): void {
    this.parts.push(bytes)
  }
  get text(): string {
    return Buffer.concat(this.parts).toString()
  }
}

async function written(options: WriterOptions, payloads: readonly string[]): Promise<string> {
  const sink = new Collected()
  const writer = createWriter(options, sink)
  for (const payload of payloads) {
    const bytes = Buffer.from(payload)
    await writer.write(bytes)
    expect(bytes.toString()).toBe(payload)
  }
  await writer.end()
  return sink.text
}

test.each<[WriterOptions, string[], string]>([
  [{ format: 'ndjson' }, [], ''],
  [{ format: 'ndjson' }, ['1\n"a"\n', '', '{}\n'], '1\n"a"\n{}\n'],
  [{ format: 'json' }, [], '[]\n'],
  [{ format: 'json' }, ['', ''], '[]\n'],
  [{ format: 'json' }, ['', '1\n'], '[1]\n'],
  [{ format: 'json' }, ['1\n"a\\n"\n', '', '{}\n[]\n'], '[1,"a\\n",{},[]]\n'],
  [{ format: 'raw' }, [], ''],
  [{ format: 'raw' }, ['1\n"a\\n\\"ä"\n"b"\nnull\n', '{"x":"y"}\n'], '1\na\n"ä\nb\nnull\n{"x":"y"}\n'],
  [{ format: 'json', single: true }, ['{"a":1}\n'], '{"a":1}\n'],
  [{ format: 'ndjson', single: true }, ['[1]\n'], '[1]\n'],
  [{ format: 'raw', single: true }, ['"x"\n'], 'x\n'],
])('%j %j', async (options, payloads, expected) => {
  expect(await written(options, payloads)).toBe(expected)
})

test('ndjson passes the very bytes on', () => {
  const sink = new Collected()
  const bytes = Buffer.from('1\n')
  createWriter({ format: 'ndjson' }, sink).write(bytes)
  expect(sink.parts[0]).toBe(bytes)
})

describe('spool', () => {
  const results = Array.from({ length: 3000 }, (_, n) => Buffer.from(`"${n}:${'x'.repeat(n % 700)}"\n`))
  const whole = Buffer.concat(results).toString()

  test.each([1, 1000, 100_000, 64 * 1024 * 1024])(
    'gives back all in order, %i bytes in memory',
    async (memoryBytes) => {
      const directory = mkdtempSync(join(tmpdir(), 'spool-'))
      const spool = createSpool({ memoryBytes, directory })
      for (const result of results) await spool.write(result)
      expect(readdirSync(directory)).toEqual([])
      const sink = new Collected()
      await spool.drainTo(sink)
      expect(sink.text).toBe(whole)
      await spool.discard()
      rmSync(directory, { recursive: true })
    },
  )

  test('does not need its writes to be awaited', async () => {
    const spool = createSpool({ memoryBytes: 1000 })
    for (const result of results) void spool.write(result)
    const sink = new Collected()
    await spool.drainTo(sink)
    expect(sink.text).toBe(whole)
  })

  test('keeps a copy, not the message that a result came in', async () => {
    const spool = createSpool()
    const message = Buffer.from('1\n')
    spool.write(message)
    message.fill(0)
    const sink = new Collected()
    await spool.drainTo(sink)
    expect(sink.text).toBe('1\n')
  })

  test('a directory that cannot be written is an OutputError, in each later write and in the drain', async () => {
    const spool = createSpool({ memoryBytes: 1, directory: join(tmpdir(), 'none', 'such') })
    await expect(spool.write(Buffer.from('12\n'))).rejects.toThrow(OutputError)
    await expect(spool.write(Buffer.from('12\n'))).rejects.toThrow(/cannot hold results in .*ENOENT/)
    await expect(spool.drainTo(new Collected())).rejects.toThrow(OutputError)
    await spool.discard()
  })

  test('waits for whom it drains to', async () => {
    const spool = createSpool({ memoryBytes: 1 })
    await spool.write(Buffer.alloc(1024 * 1024, 0x61))
    let open = 0
    await spool.drainTo({
      async write() {
        expect(++open).toBe(1)
        await new Promise(setImmediate)
        open--
      },
    })
  })
})
