// What results look like in each format.
import { describe, expect, test } from 'vitest'
import { createWriter, type WriterOptions } from '../../../src/write/writer.js'
import { CollectingSink } from './collecting-sink.js'

async function written(options: WriterOptions, payloads: readonly string[]): Promise<string> {
  const sink = new CollectingSink()
  const writer = createWriter(options, sink)
  for (const payload of payloads) {
    const bytes = Buffer.from(payload)
    await writer.write(bytes)
    expect(bytes.toString()).toBe(payload)
  }
  await writer.end()
  return sink.text
}

describe('createWriter', () => {
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
    [{ format: 'raw', areRaw: true }, [], ''],
    [{ format: 'raw', areRaw: true }, ['"x"\n\n', '', '\x1e\n', '\x1e1\x1e"y\\n"\n'], '"x"\n\n1\ny\n\n'],
    [{ format: 'raw', areRaw: true, single: true }, ['x\n'], 'x\n'],
  ])('converts with %j the results %j', async (options, payloads, expected) => {
    expect(await written(options, payloads)).toBe(expected)
  })

  test('passes the same bytes on for ndjson', () => {
    const sink = new CollectingSink()
    const bytes = Buffer.from('1\n')
    createWriter({ format: 'ndjson' }, sink).write(bytes)
    expect(sink.parts[0]).toBe(bytes)
  })
})
