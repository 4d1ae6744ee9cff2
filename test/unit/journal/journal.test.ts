// A journal on a disk in memory: what is appended comes back, and only that.
import { describe, expect, test } from 'vitest'
import { checksum } from '../../../src/journal/checksum.js'
import { Journal, type JournalOptions, readJournal } from '../../../src/journal/journal.js'
import { JournalReader, UnreadableJournal } from '../../../src/journal/reader.js'
import type { Chunk, Framing, ItemFailure, SettledRange } from '../../../src/model.js'
import { MemoryDisk } from './memory-disk.js'

const SEED = 5
const WHERE = { workerId: 1, pid: 77, attempts: 1 } as const

function chunkOf(text: string, count: number, framing: Framing = 'ndjson'): Chunk {
  return { seq: 0, count, payload: { kind: 'bytes', bytes: Buffer.from(text), framing } }
}

function open(disk: MemoryDisk, options?: JournalOptions) {
  const reader = readJournal(disk)
  return { reader, journal: new Journal(disk, reader, SEED, options) }
}

const failureAt = (offset: number): ItemFailure => ({
  offset,
  failure: {
    kind: 'error',
    error: {
      type: 'error',
      name: 'Error',
      message: 'böse',
      frames: '',
      builtin: 'Error',
      props: { at: new Map([[1n, undefined]]) },
    },
  },
  ...WHERE,
  attempts: 2,
})

/** Appends results to a new journal; `undefined` is a failure. */
function write(
  disk: MemoryDisk,
  chunk: Chunk,
  results: readonly (string | undefined)[],
  rest: Partial<SettledRange> = {},
) {
  const { journal } = open(disk)
  journal.begin({ seed: SEED })
  const identified = journal.identify(chunk)
  journal.write({
    chunk: identified.chunk,
    from: 0,
    count: results.length,
    results: {
      kind: 'json',
      bytes: Buffer.from(results.map((line) => (line === undefined ? '' : `${line}\n`)).join('')),
    },
    failures: results.flatMap((line, offset) => (line === undefined ? failureAt(offset) : [])),
    ...WHERE,
    ...rest,
  })
  return disk
}

/** What a resumed run gets back: the line of each item, what it has failed with, or nothing. */
function restored(disk: MemoryDisk, chunk: Chunk, options: JournalOptions = { keepsFailures: true }) {
  const { journal } = open(disk, options)
  const identified = journal.identify(chunk)
  const all: (string | ItemFailure | undefined)[] = []
  const ranges: SettledRange[] = []
  for (const [offset, event] of identified.events.entries()) {
    if (!journal.isSettled(event)) all.push(undefined)
    else
      for (const range of journal.restore(identified, offset, offset + 1)) {
        ranges.push(range)
        if (range.results.kind !== 'json') throw new TypeError('not lines')
        all.push(range.failures[0] ?? Buffer.from(range.results.bytes).toString())
      }
  }
  return { all, ranges }
}

describe('what is appended comes back', () => {
  test('values of any form, and failures', () => {
    const chunk = chunkOf('1\n2\n3\n4\n5\n', 5)
    const lines = ['"ä,\\"crc\\":\\""', '\x1e1\x1e[2,"],"]\x1e{}', '\x1e', undefined, '{"value":null}']
    const { all } = restored(write(new MemoryDisk(), chunk, lines), chunk)
    expect(all).toEqual(lines.map((line, offset) => (line === undefined ? failureAt(offset) : `${line}\n`)))
  })

  test('by value: for other places, other spellings and another format', () => {
    const disk = write(new MemoryDisk(), chunkOf('{"a":1,"b":[2]}\n"x"\n', 2), ['1', '2'])
    expect(restored(disk, chunkOf('["new","x",{"b": [2.0], "a": 1}]'.slice(1, -1), 3, 'json')).all).toEqual([
      undefined,
      '2\n',
      '1\n',
    ])
    expect(restored(disk, chunkOf('x\r\ny\n', 2, 'lines')).all).toEqual(['2\n', undefined])
  })

  test('for as many equal items as there were', () => {
    const disk = write(new MemoryDisk(), chunkOf('7\n7\n8\n', 3), ['"first"', '"second"', '"8"'])
    expect(restored(disk, chunkOf('8\n7\n7\n7\n', 4)).all).toEqual([
      '"8"\n',
      '"first"\n',
      '"second"\n',
      undefined,
    ])
  })

  test('by the part that identifies an item', () => {
    const options = { pointer: ['user', 'id'] }
    const disk = new MemoryDisk()
    const first = open(disk, options).journal
    first.begin({ seed: SEED })
    const { chunk } = first.identify(chunkOf('{"user":{"id":1},"at":5}\n{"user":{}}\n', 2))
    first.write({
      chunk,
      from: 0,
      count: 2,
      results: { kind: 'json', bytes: Buffer.from('1\n2\n') },
      failures: [],
      ...WHERE,
    })
    const again = chunkOf('{"user":{"id":2}}\n{"at":6,"user":{"id":1}}\n{"user":{}}\n{"user":{"x":1}}\n', 4)
    expect(restored(disk, again, options).all).toEqual([undefined, '1\n', '2\n', undefined])
  })

  test('of batches', () => {
    const batched = (text: string, count: number): Chunk => ({
      seq: 0,
      count,
      payload: { kind: 'bytes', bytes: Buffer.from(text), framing: 'ndjson', batch: 2 },
    })
    const disk = write(new MemoryDisk(), batched('1\n2\n3\n', 2), ['"1,2"', '"3"'])
    expect(restored(disk, batched('3\n\n1\n2\n1\n', 2)).all).toEqual([undefined, undefined])
    expect(restored(disk, batched('1\n\n2\n 3\n', 2)).all).toEqual(['"1,2"\n', '"3"\n'])
  })

  test('with attempts, times and earlier failures', () => {
    const chunk = chunkOf('1\n', 1)
    const flaky = [failureAt(0)]
    const timings = { startedAt: Float64Array.of(1_700_000_000_000.125), ms: Float64Array.of(12.5) }
    const disk = write(new MemoryDisk(), chunk, ['1'], { attempts: 3, flaky, timings })
    const { ranges } = restored(disk, chunk, { timed: true })
    expect(ranges).toMatchObject([
      { attempts: 3, flaky, timings, workerId: 1, pid: 77, restored: true, failures: [] },
    ])
  })

  test('from a file of its own where it is large', () => {
    const chunk = chunkOf('1\n2\n', 2)
    const large = JSON.stringify('x'.repeat(2 << 20))
    const disk = write(new MemoryDisk(), chunk, [large, '2'])
    expect([...disk.values.values()].map(({ length }) => length)).toEqual([large.length + 1])
    expect(disk.size).toBeLessThan(1000)
    expect(restored(disk, chunk).all).toEqual([`${large}\n`, '2\n'])
  })

  test('in ranges as long as possible', () => {
    const count = 1000
    const chunk = chunkOf(Array.from({ length: count }, (_, i) => `${i}\n`).join(''), count)
    const lines = Array.from({ length: count }, (_, i) => (i === 500 ? undefined : String(i)))
    const { journal } = open(write(new MemoryDisk(), chunk, lines), { keepsFailures: true })
    const ranges = journal.restore(journal.identify(chunk), 0, count)
    expect(ranges.map(({ from, count }) => [from, count])).toEqual([
      [0, 500],
      [500, 1],
      [501, 499],
    ])
  })
})

test('the latest event of an item counts, and failures run again', () => {
  const disk = new MemoryDisk()
  const chunk = chunkOf('1\n2\n', 2)
  write(disk, chunk, [undefined, undefined])
  const { journal, reader } = open(disk)
  expect([reader.table.done, reader.table.failed]).toEqual([0, 2])
  const { chunk: identified } = journal.identify(chunk)
  journal.write({
    chunk: identified,
    from: 1,
    count: 1,
    results: { kind: 'json', bytes: Buffer.from('2\n') },
    failures: [],
    ...WHERE,
  })
  expect(restored(disk, chunk, {}).all).toEqual([undefined, '2\n'])
})

describe('a journal that was cut off', () => {
  const chunk = chunkOf('1\n2\n3\n', 3)
  const whole = write(new MemoryDisk(), chunk, ['1', undefined, '\x1e3'])
  const wholeLines = (size: number) => whole.bytes.subarray(0, size).filter((byte) => byte === 0x0a).length

  test('holds the whole lines, wherever that was', () => {
    for (let size = 0; size <= whole.size; size++) {
      const disk = new MemoryDisk(whole.bytes.subarray(0, size))
      const reader = readJournal(disk)
      const lines = wholeLines(size)
      const wholeBytes = whole.bytes.lastIndexOf(0x0a, size - 1) + 1
      expect({
        runs: reader.runs,
        items: reader.table.done + reader.table.failed,
        isTorn: reader.isTorn,
        validBytes: reader.validBytes,
      }).toEqual({
        runs: Math.min(1, lines),
        items: Math.max(0, lines - 1),
        isTorn: size > 0 && size !== wholeBytes,
        validBytes: size === 0 ? 0 : wholeBytes,
      })
    }
  })

  test('is the same one once its rest was appended', () => {
    const expected = restored(whole, chunk).all
    for (let size = whole.text.indexOf('\n') + 1; size <= whole.size; size++) {
      const disk = new MemoryDisk(whole.bytes.subarray(0, size))
      const { journal, reader } = open(disk)
      disk.truncate(reader.validBytes)
      const identified = journal.identify(chunk)
      const missing = identified.events.indexOf(0)
      if (missing >= 0) {
        const lines = ['1\n', undefined, '\x1e3\n'].slice(missing)
        journal.write({
          chunk: identified.chunk,
          from: missing,
          count: 3 - missing,
          results: { kind: 'json', bytes: Buffer.from(lines.join('')) },
          failures: missing <= 1 ? [failureAt(1)] : [],
          ...WHERE,
        })
      }
      expect(restored(disk, chunk).all).toEqual(expected)
    }
  })

  test('holds the lines before one that was overwritten at the end', () => {
    const bytes = Buffer.from(whole.bytes)
    bytes.fill(0, bytes.length - 5)
    expect(readJournal(new MemoryDisk(bytes)).table.done).toBe(1)
  })
})

describe('a journal is refused', () => {
  const chunk = chunkOf('1\n2\n3\n', 3)
  const whole = write(new MemoryDisk(), chunk, ['1', '2', '3'])
  const reasonOf = (bytes: Uint8Array | string): unknown => {
    try {
      readJournal(new MemoryDisk(bytes))
      return undefined
    } catch (error) {
      if (error instanceof UnreadableJournal) return error.reason
      throw error
    }
  }

  test('where any byte of a line but the last is damaged, which is named', () => {
    const end = whole.bytes.lastIndexOf(0x0a, whole.size - 2)
    for (let at = 1; at < end; at++) {
      const bytes = Buffer.from(whole.bytes)
      bytes[at]! ^= 1
      const line = whole.bytes.subarray(0, at).filter((byte) => byte === 0x0a).length + 1
      // A line end that is gone joins two lines; one that is new divides one.
      const reason = reasonOf(bytes)
      if (at < '{"poolrun":"journal"'.length) expect(reason).toEqual({ kind: 'foreign' })
      else if (bytes[at - 1] !== 0x0a || line > 1) expect(reason).toEqual({ kind: 'damaged', line })
    }
  })

  test('where it is another file', () => {
    expect(reasonOf('{"a":1}\n')).toEqual({ kind: 'foreign' })
    expect(reasonOf('x')).toEqual({ kind: 'foreign' })
    expect(reasonOf('{"poolrun":"j')).toBeUndefined()
  })

  test('where a newer version has written it', () => {
    const start = '{"poolrun":"journal","version":2'
    const crc = (checksum(Buffer.from(start), 0, start.length) >>> 0).toString(16).padStart(8, '0')
    expect(reasonOf(`${start},"crc":"${crc}"}\n`)).toEqual({ kind: 'newer', version: 2 })
  })
})

test('a reader needs no block to end where a line does', () => {
  const chunk = chunkOf('1\n2\n3\n', 3)
  const { bytes } = write(new MemoryDisk(), chunk, ['1', undefined, '3'])
  for (const size of [1, 2, 7, 64, 1000]) {
    const events: [string, number][] = []
    const reader = new JournalReader({ onItem: (cursor, at) => events.push([cursor.kind, at]) })
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    reader.finish()
    const lines = [...bytes.toString().matchAll(/\{"(ok|failed)":/g)].map((match) => [
      match[1],
      Buffer.byteLength(bytes.toString().slice(0, match.index)),
    ])
    expect(events).toEqual(lines)
  }
})

test('a full disk is an error, and the journal stays whole', () => {
  const disk = write(new MemoryDisk(), chunkOf('1\n', 1), ['1'])
  const { journal } = open(disk)
  disk.limit = disk.size + 10
  const before = disk.text
  const { chunk } = journal.identify(chunkOf('2\n', 1))
  expect(() =>
    journal.write({
      chunk,
      from: 0,
      count: 1,
      results: { kind: 'json', bytes: Buffer.from('2\n') },
      failures: [],
      ...WHERE,
    }),
  ).toThrow('no space left')
  expect(disk.text).toBe(before)
})
