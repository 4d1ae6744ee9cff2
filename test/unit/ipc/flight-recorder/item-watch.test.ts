// Two threads that share memory and a file, here taking turns on one thread.
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFlightRecordFile } from '../../../../src/ipc/flight-recorder/file.js'
import { FILE_BYTES } from '../../../../src/ipc/flight-recorder/format.js'
import { ItemWatch, ItemWatcher, WatchMemory } from '../../../../src/ipc/flight-recorder/item-watch.js'
import { FlightRecorder, type WatchedChunk } from '../../../../src/ipc/flight-recorder/writer.js'

const LIMIT_MS = 1_000

class Chunk implements WatchedChunk {
  offset = 0
  isRecorded = false
  isItemRunning = false
  since = Number.NaN
  lateAt = Number.POSITIVE_INFINITY
  readonly id: number

  constructor(id: number) {
    this.id = id
  }

  wasRecorded(since: number): void {
    this.isRecorded = true
    this.since = since
    this.lateAt = since + LIMIT_MS
  }
}

function setUp() {
  const file = createFlightRecordFile()!
  let isOpen = true
  const close = () => {
    if (isOpen) file.close()
    isOpen = false
  }
  onTestFinished(close)
  let now = 0
  const memory = new WatchMemory()
  let failures = 0
  const recorder = new FlightRecorder(file.fd, {
    now: () => now,
    startWatch: () => new ItemWatch(memory),
    onFailure: async () => void failures++,
  })
  expect(recorder.canWatch(LIMIT_MS)).toBe(false)
  const watcher = new ItemWatcher(memory, file.fd, () => now)
  expect(recorder.canWatch(LIMIT_MS)).toBe(true)
  const chunk = new Chunk(7)
  recorder.open(chunk)
  return {
    recorder,
    chunk,
    close,
    read: () => file.read()!,
    failures: () => failures,
    look(at: number) {
      now = at
      watcher.look()
    },
    begin(offset: number) {
      chunk.offset = offset
      chunk.isItemRunning = true
      recorder.beginWatched(offset)
    },
    end(line: string) {
      chunk.isItemRunning = false
      return recorder.endWatched(chunk.offset, line)
    },
  }
}

describe('a watched item', () => {
  test('is not in the file until it has been seen twice, then since it was first seen', () => {
    const { recorder, chunk, begin, look, read } = setUp()
    expect(recorder.watch(chunk, 'json')).toBe(true)
    begin(3)
    look(100)
    expect(read()).toMatchObject({ running: [], unrecorded: [7] })
    look(110)
    expect(read()).toMatchObject({
      running: [{ id: 7, offset: 3, since: 100 }],
      unrecorded: [],
      outcomes: [],
    })
    expect(read().begun.get(7)).toBe(4)
  })

  test('is not taken for the one before it, nor for one of another chunk at the same offset', () => {
    const { recorder, chunk, begin, end, look, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    look(100)
    expect(end('1')).toBe(true)
    begin(1)
    look(110)
    recorder.unwatch()
    recorder.delivered(recorder.mark)
    const other = new Chunk(8)
    expect(recorder.watch(other, 'json')).toBe(true)
    recorder.beginWatched(1)
    look(120)
    expect(read().running).toEqual([])
  })

  test('has the results of those before it in the file with it', () => {
    const { recorder, chunk, begin, end, look, read } = setUp()
    recorder.watch(chunk, 'json')
    const texts = ['1', '"é"', `"${'x'.repeat(60)}"`, `"${'日本'.repeat(40)}"`, '{"a":[1,2]}']
    for (const [offset, text] of texts.entries()) {
      begin(offset)
      expect(end(text)).toBe(true)
    }
    begin(texts.length)
    look(100)
    look(110)
    expect(read().outcomes).toEqual(texts.map((text, offset) => ({ id: 7, offset, text })))
    expect(read().running).toMatchObject([{ offset: texts.length }])
  })

  test('has values before it as values', () => {
    const { recorder, chunk, begin, end, look, read } = setUp()
    recorder.watch(chunk, 'values')
    for (const [offset, line] of ['', 'null', '1.5', '"a\\nb"', 'false'].entries()) {
      begin(offset)
      end(line)
    }
    begin(5)
    look(100)
    look(110)
    expect(read().outcomes).toEqual(
      [undefined, null, 1.5, 'a\nb', false].map((value, offset) => ({ id: 7, offset, value })),
    )
  })

  test('that was recorded has to have its outcome recorded, too, behind what was written', () => {
    const { recorder, chunk, begin, end, look, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    end('0')
    begin(1)
    look(100)
    look(110)
    expect(end('1')).toBe(false)
    expect(chunk).toMatchObject({ isRecorded: true, since: 100, lateAt: 100 + LIMIT_MS })
    expect(recorder.json(chunk, '1')).toBe(true)
    chunk.offset = 2
    expect(recorder.startItem(chunk, LIMIT_MS)).toBe(true)
    expect(read()).toMatchObject({ outcomes: [{ text: '0' }, { text: '1' }], running: [{ offset: 2 }] })
  })

  test('that ends after its time lets no other item start, watched or recorded', () => {
    const { recorder, chunk, begin, end, look } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    look(100)
    look(110)
    look(100 + LIMIT_MS)
    end('0')
    recorder.json(chunk, '0')
    expect(recorder.watch(chunk, 'json')).toBe(false)
    chunk.offset = 1
    expect(recorder.startItem(chunk, LIMIT_MS)).toBe(false)
  })

  test('goes on while other things are written, and is still recorded once it lasts', () => {
    const { recorder, chunk, begin, look, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    look(100)
    const other = new Chunk(9)
    recorder.open(other)
    recorder.noteUnrecorded(other)
    recorder.write()
    look(110)
    recorder.delivered(recorder.mark)
    expect(read()).toMatchObject({ running: [{ id: 7, offset: 0, since: 100 }], unrecorded: [9] })
    expect(chunk.isRecorded).toBe(true)
  })

  test('is the only one: another chunk is not watched meanwhile', () => {
    const { recorder, chunk } = setUp()
    expect(recorder.watch(chunk, 'json')).toBe(true)
    expect(recorder.watch(new Chunk(8), 'json')).toBe(false)
    recorder.unwatch()
    expect(recorder.watch(new Chunk(8), 'json')).toBe(true)
  })

  test('is not recorded any more once the record is frozen', () => {
    const { recorder, chunk, begin, look, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    recorder.freeze()
    look(100)
    look(110)
    expect(read()).toMatchObject({ running: [], unrecorded: [7] })
  })
})

describe('what watched items return', () => {
  test('is in the file when no other item is watched', () => {
    const { recorder, chunk, begin, end, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(4)
    end('4')
    begin(5)
    end('5')
    recorder.unwatch()
    expect(read()).toMatchObject({ outcomes: [{ offset: 4 }, { offset: 5 }], running: [], unrecorded: [] })
    expect(read().begun.get(7)).toBe(6)
  })

  test('is forgotten once it has been sent', () => {
    const { recorder, chunk, begin, end, look, read } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    end('0')
    const mark = recorder.mark
    begin(1)
    end('1')
    // Another result has followed: nothing is forgotten yet.
    recorder.delivered(mark)
    recorder.delivered(recorder.mark)
    begin(2)
    end('2')
    begin(3)
    look(100)
    look(110)
    expect(read().outcomes).toEqual([{ id: 7, offset: 2, text: '2' }])
  })

  test('must be sent when its room gets short, and is refused without room', () => {
    const { recorder, chunk, begin, end } = setUp()
    recorder.watch(chunk, 'json')
    const text = JSON.stringify('x'.repeat(9_998))
    const kept: boolean[] = []
    for (let offset = 0; offset < 7; offset++) {
      begin(offset)
      kept.push(end(text))
      if (offset === 4) expect(recorder.hasLittleRoom).toBe(false)
    }
    expect(kept.slice(0, 4)).toEqual([true, true, true, true])
    expect(kept.at(-1)).toBe(false)
    begin(7)
    for (let offset = 7; !recorder.hasLittleRoom && offset < 700; offset++) {
      begin(offset)
      expect(end(JSON.stringify('x'.repeat(98)))).toBe(true)
    }
    expect(recorder.hasLittleRoom).toBe(true)
  })

  test('is not watched for where the file has no room for it', () => {
    const { recorder, chunk } = setUp()
    const other = new Chunk(9)
    other.isRecorded = true
    recorder.open(other)
    const text = JSON.stringify('x'.repeat(9_000))
    for (let bytes = 0; bytes < FILE_BYTES / 2; bytes += text.length) {
      recorder.startItem(other, LIMIT_MS)
      expect(recorder.json(other, text)).toBe(true)
      other.offset++
    }
    expect(recorder.watch(chunk, 'json')).toBe(false)
    recorder.delivered(recorder.mark)
    expect(recorder.watch(chunk, 'json')).toBe(true)
  })
})

describe('items are recorded one by one', () => {
  test.each([1, 50, 99])(
    'with a limit of %i ms, of which the time between two looks is a large part',
    (ms) => {
      expect(setUp().recorder.canWatch(ms)).toBe(false)
    },
  )

  test('where nothing can watch them', () => {
    const file = createFlightRecordFile()!
    onTestFinished(() => file.close())
    expect(new FlightRecorder(file.fd, { startWatch: () => undefined }).canWatch(LIMIT_MS)).toBe(false)
    expect(new FlightRecorder(file.fd).canWatch(LIMIT_MS)).toBe(false)
  })

  test('after the file could not be written', () => {
    const { recorder, chunk, begin, end, look, close, failures } = setUp()
    recorder.watch(chunk, 'json')
    begin(0)
    close()
    look(100)
    look(110)
    expect(end('0')).toBe(false)
    expect(failures()).toBe(1)
    expect(recorder.canWatch(LIMIT_MS)).toBe(false)
  })
})
