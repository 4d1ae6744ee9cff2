// What a worker records and its parent reads, through a real file.
import { closeSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createFlightRecordFile } from '../../../../src/ipc/flight-recorder/file.js'
import { sharedNow } from '../../../../src/ipc/flight-recorder/format.js'
import { FlightRecorder } from '../../../../src/ipc/flight-recorder/writer.js'
import { recording, TestChunk } from './recording.js'

const FAILURE = { kind: 'timeout', timeoutMs: 5 } as const

describe('a flight record', () => {
  test('names the item that runs, and since when', () => {
    const { file, chunk } = recording()
    const before = sharedNow()
    chunk(7).start(3)
    const [running] = file.read().running
    expect(running).toMatchObject({ id: 7, offset: 3 })
    expect(running!.since).toBeGreaterThanOrEqual(before)
    expect(running!.since).toBeLessThanOrEqual(sharedNow())
  })

  test('has outcomes of every kind in their order, once the next item starts', () => {
    const { file, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    expect(one.settle('json', '{"ä":1}')).toBe(true)
    one.start(1)
    expect(one.settle('value', new Map([[1, undefined]]))).toBe(true)
    one.start(2)
    expect(one.settle('failure', FAILURE)).toBe(true)
    one.start(3)
    expect(file.read()).toMatchObject({
      outcomes: [
        { id: 1, offset: 0, text: '{"ä":1}' },
        { id: 1, offset: 1, value: new Map([[1, undefined]]) },
        { id: 1, offset: 2, failure: FAILURE },
      ],
      running: [{ id: 1, offset: 3 }],
    })
  })

  test('does not name an item as running that has settled', () => {
    const { file, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    chunk(2).start(0)
    one.settle('json', '1')
    chunk(3).start(0)
    expect(file.read().running.map(({ id }) => id)).toEqual([2, 3])
  })

  test('keeps outcomes until the file is full, refuses the others, and goes on saying what runs', () => {
    const { file, chunk } = recording()
    const one = chunk(1)
    const text = JSON.stringify('x'.repeat(20_000))
    const kept: number[] = []
    for (let offset = 0; offset < 50; offset++) {
      expect(one.start(offset)).toBe(true)
      if (one.settle('json', text)) kept.push(offset)
    }
    one.start(50)
    const { outcomes, running, begun } = file.read()
    expect(kept.length).toBeGreaterThan(1)
    expect(outcomes.map(({ offset }) => offset)).toEqual(kept)
    expect(running).toMatchObject([{ offset: 50 }])
    expect(begun.get(1)).toBe(51)
  })

  test('says that an item whose outcome it does not keep has ended', () => {
    const { file, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    expect(one.settle('json', 'x'.repeat(100_000))).toBe(false)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 1, offset: 0, isSending: true }] })
  })

  test('names an item that has returned to the event loop, also after it has started over', () => {
    const { file, recorder, chunk } = recording()
    const [one, two] = [chunk(1), chunk(2)]
    one.start(0, 1_000)
    recorder.suspend(one)
    two.start(0, 1_000)
    const [first, second] = file.read().running
    expect(first).toMatchObject({ id: 1, isSuspended: true })
    expect(second).not.toHaveProperty('isSuspended')
    expect(file.read().begun).toEqual(
      new Map([
        [1, 1],
        [2, 1],
      ]),
    )
    const three = chunk(3)
    settleLong(three)
    recorder.end(three)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 1, isSuspended: true }, { id: 2 }] })
  })

  test('of the next item does not say that it has returned, because the one before it had', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0, 1_000)
    recorder.suspend(one)
    one.settle('json', '1')
    one.start(1, 1_000)
    expect(file.read().running[0]).not.toHaveProperty('isSuspended')
  })

  test('does not say that an item has begun whose start was refused', () => {
    let now = 0
    const { file, chunk } = recording(() => now)
    const one = chunk(1)
    one.start(0, 100)
    now = 99
    one.settle('value', 1)
    now = 101
    expect(one.start(1, 100)).toBe(false)
    one.start(1, 100)
    expect(file.read().begun.get(1)).toBe(2)
  })
})

describe('a write that fails', () => {
  test('is reported, and no item starts until the report has left', async () => {
    let reported = () => {}
    const created = createFlightRecordFile()!
    closeSync(created.fd)
    const report = new Promise<void>((resolve) => {
      reported = resolve
    })
    const recorder = new FlightRecorder(created.fd, { onFailure: () => report })
    const one = new TestChunk(recorder, 1)
    expect(one.start(0)).toBe(false)
    expect(one.start(0)).toBe(false)
    expect(recorder.refusesStarts).toBe(true)
    reported()
    await report
    await report
    expect(recorder.refusesStarts).toBe(false)
    expect(one.start(0)).toBe(true)
    // Nothing keeps it: it has to be sent before the next item starts.
    expect(one.settle('json', '1')).toBe(false)
  })
})

describe('an outcome that the recorder does not keep', () => {
  test.each([
    ['is too large for JSON', 'json', 'x'.repeat(64 * 1024)],
    ['is too large', 'value', 'x'.repeat(64 * 1024 + 1)],
    ['cannot be cloned', 'value', () => {}],
  ] as const)(
    'because it %s keeps the file from starting over until its message has left',
    (_, kind, outcome) => {
      const { file, recorder, chunk } = recording()
      const one = chunk(1)
      one.start(0)
      settleLong(one)
      const mark = recorder.mark
      one.start(1)
      expect(one.settle(kind, outcome)).toBe(false)
      recorder.end(one)
      // The message before has left; the one with this outcome has not.
      recorder.delivered(mark)
      expect(file.read().running).toMatchObject([{ id: 1, offset: 1 }])
    },
  )
})

/** Two outcomes that are long enough together for the file to start over. */
function settleLong(chunk: TestChunk): void {
  for (const offset of [0, 1]) {
    chunk.offset = offset
    chunk.settle('json', `"${'x'.repeat(20_000)}"`)
  }
}

describe('once every outcome has left the process, the file', () => {
  test('starts over with the items that are running', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    chunk(2).start(0)
    settleLong(one)
    recorder.end(one)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 2, offset: 0 }], unrecorded: [] })
  })

  test('starts over without an item that has settled, though its chunk goes on', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    settleLong(one)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [], unrecorded: [] })
  })

  test('still names an unrecorded chunk: otherwise it would run again as if it had never started', () => {
    const { file, recorder, chunk } = recording()
    const [one, two] = [chunk(1), chunk(2)]
    one.start(0)
    settleLong(one)
    recorder.end(one)
    two.stopRecording()
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [], unrecorded: [2] })
    recorder.end(two)
    settleLong(one)
    recorder.delivered(recorder.mark)
    expect(file.read().unrecorded).toEqual([])
  })

  test('does not start over while there are outcomes that have not left', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    const mark = recorder.mark
    settleLong(one)
    one.start(1)
    recorder.delivered(mark)
    expect(file.read().outcomes).toHaveLength(2)
  })

  test('goes on while it is short: starting over costs a write', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    one.settle('json', '0')
    one.start(1)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [{ id: 1, offset: 1 }] })
  })
})

describe('an unrecorded chunk', () => {
  test('is recorded again once one of its items is recorded as started', () => {
    const { file, chunk } = recording()
    const four = chunk(4)
    four.stopRecording()
    expect(file.read().unrecorded).toEqual([4])
    four.isRecorded = true
    four.start(9)
    expect(file.read()).toMatchObject({ running: [{ id: 4, offset: 9 }], unrecorded: [] })
  })

  test('is recorded again once the file says that none of its items runs', () => {
    const { file, recorder, chunk } = recording()
    const four = chunk(4)
    four.stopRecording()
    recorder.noteBetweenItems(four)
    recorder.write()
    expect(file.read()).toMatchObject({ outcomes: [], running: [], unrecorded: [] })
  })
})

describe('after an item that ended in time but that a reader may have judged late', () => {
  const LIMIT = 200

  /** Item 0 of chunk 1 starts at 0 and ends at 199.9. The times that the recorder reads from its clock follow. */
  function itemOnTheEdge(...times: number[]) {
    let last = 0
    const { file, recorder, chunk } = recording(() => {
      last = times.shift() ?? last
      return last
    })
    const one = chunk(1)
    one.start(0, LIMIT)
    one.settle('value', 'done in time')
    return { file, recorder, one, chunk }
  }

  test('no item starts when its outcome was written too late', () => {
    const { file, one } = itemOnTheEdge(0, 199.9, 199.9, 200, 200)
    expect(one.start(1, LIMIT)).toBe(false)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [] })
  })

  test('no item starts when its outcome was never written', () => {
    const { file, chunk } = itemOnTheEdge(0, 250)
    expect(chunk(2).start(0)).toBe(false)
    expect(file.read().running).toMatchObject([{ id: 1, offset: 0 }])
  })

  test('the next item starts when its outcome was written in time', () => {
    const { one } = itemOnTheEdge(0, 199.9)
    expect(one.start(1, LIMIT)).toBe(true)
  })

  test('the next item starts when the end of its chunk was written in time, however long nothing happens then', () => {
    const { recorder, one, chunk } = itemOnTheEdge(0, 199.9, 5_000)
    recorder.end(one)
    expect(chunk(2).start(0, LIMIT)).toBe(true)
  })

  test('only one start is refused: the parent sends the rest again when it has judged', () => {
    const { chunk } = itemOnTheEdge(0, 250)
    expect(chunk(2).start(0)).toBe(false)
    expect(chunk(3).start(0)).toBe(true)
  })
})

describe('a frozen recorder', () => {
  test('still names the item that ran when it was frozen, whatever happens after', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    recorder.freeze()
    for (let offset = 0; offset < 20; offset++) {
      one.settle('json', JSON.stringify('x'.repeat(20_000)))
      one.start(offset + 1)
    }
    recorder.end(one)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 1, offset: 0 }] })
  })
})
