// What a worker writes down and what its parent reads, through a real file.
import { closeSync, ftruncateSync, writeSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createFlightRecordFile,
  FlightRecorder,
  type FlightRecordFile,
  sharedNow,
} from '../../../src/ipc/flight-recorder.js'

let files: FlightRecordFile[] = []
afterEach(() => {
  for (const file of files) file.close()
  files = []
})

function recording() {
  const file = createFlightRecordFile()!
  files.push(file)
  return { file, recorder: new FlightRecorder(file.fd) }
}

const FAILURE = { kind: 'timeout', timeoutMs: 5 } as const

describe('what has been written down', () => {
  test('is nothing at first', () => {
    expect(recording().file.read()).toEqual({ outcomes: [], running: [], unrecorded: [] })
  })

  test('names the item that runs, and since when', () => {
    const { file, recorder } = recording()
    const before = sharedNow()
    recorder.begin(7, 3)
    const [running] = file.read().running
    expect(running).toMatchObject({ id: 7, offset: 3 })
    expect(running!.since).toBeGreaterThanOrEqual(before)
    expect(running!.since).toBeLessThanOrEqual(sharedNow())
  })

  test('keeps outcomes of every kind in their order, once the next item begins', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    expect(recorder.json(1, 0, '{"ä":1}')).toBe(true)
    recorder.begin(1, 1)
    expect(recorder.value(1, 1, new Map([[1, undefined]]))).toBe(true)
    recorder.begin(1, 2)
    expect(recorder.failure(1, 2, FAILURE)).toBe(true)
    recorder.begin(1, 3)
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
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    recorder.begin(2, 0)
    recorder.json(1, 0, '1')
    recorder.begin(3, 0)
    expect(file.read().running.map(({ id }) => id)).toEqual([2, 3])
  })

  test('survives more of it than one block holds', () => {
    const { file, recorder } = recording()
    const text = JSON.stringify('x'.repeat(20_000))
    for (let offset = 0; offset < 50; offset++) {
      recorder.begin(1, offset)
      recorder.json(1, offset, text)
    }
    recorder.begin(1, 50)
    const { outcomes, running } = file.read()
    expect(outcomes.map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(running).toMatchObject([{ offset: 50 }])
  })

  test('ends before a record that was torn', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    recorder.json(1, 0, '"first"')
    recorder.begin(1, 1)
    ftruncateSync(file.fd, 60)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [] })
  })

  test('is less, and never an error, where the file is gone', () => {
    const file = createFlightRecordFile()!
    const recorder = new FlightRecorder(file.fd)
    closeSync(file.fd)
    recorder.begin(1, 0)
    expect(file.read()).toEqual({ outcomes: [], running: [], unrecorded: [] })
  })

  test('is no more than what makes sense in a file that was scribbled over', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    writeSync(file.fd, 'the job writes here', 0)
    expect(file.read()).toEqual({ outcomes: [], running: [], unrecorded: [] })
  })
})

describe('an outcome', () => {
  test('that is too large, or cannot be cloned, is not kept: the message has to carry it', () => {
    const { recorder } = recording()
    expect(recorder.json(1, 0, 'x'.repeat(64 * 1024))).toBe(false)
    expect(recorder.value(1, 1, 'x'.repeat(64 * 1024 + 1))).toBe(false)
    expect(recorder.value(1, 2, () => {})).toBe(false)
  })

  test.each([
    ['too large for JSON', (recorder: FlightRecorder) => recorder.json(1, 1, 'x'.repeat(64 * 1024))],
    ['too large', (recorder: FlightRecorder) => recorder.value(1, 1, 'x'.repeat(64 * 1024 + 1))],
    ['impossible to clone', (recorder: FlightRecorder) => recorder.value(1, 1, () => {})],
  ])('%s keeps the file from starting over until its own message has left', (_, settle) => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    settleLongEnough(recorder)
    const mark = recorder.mark
    recorder.begin(1, 1)
    settle(recorder)
    recorder.end(1)
    // The message before has left; this one is on its way still.
    recorder.delivered(mark)
    expect(file.read().running).toMatchObject([{ id: 1, offset: 1 }])
  })
})

/** Two outcomes that together are worth a fresh start. */
function settleLongEnough(recorder: FlightRecorder): void {
  for (const offset of [0, 1]) recorder.json(1, offset, `"${'x'.repeat(20_000)}"`)
}

describe('once everything has left', () => {
  test('the file starts over, with the items that still run', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    recorder.begin(2, 0)
    settleLongEnough(recorder)
    recorder.end(1)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 2, offset: 0 }], unrecorded: [] })
  })

  test('a chunk that is blind stays unrecorded: forgotten, it would be run again as if it had never begun', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    settleLongEnough(recorder)
    recorder.end(1)
    recorder.blind([2])
    recorder.delivered(recorder.mark)
    expect(file.read()).toEqual({ outcomes: [], running: [], unrecorded: [2] })
    recorder.end(2)
    settleLongEnough(recorder)
    recorder.delivered(recorder.mark)
    expect(file.read().unrecorded).toEqual([])
  })

  test('nothing starts over while there are outcomes that have not left', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    const mark = recorder.mark
    settleLongEnough(recorder)
    recorder.begin(1, 1)
    recorder.delivered(mark)
    expect(file.read().outcomes).toHaveLength(2)
  })

  test('a file that is still short goes on: starting over costs a write', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    recorder.json(1, 0, '0')
    recorder.begin(1, 1)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [{ id: 1, offset: 1 }] })
  })
})

describe('a blind chunk', () => {
  test('is not blind any more when it says where it is', () => {
    const { file, recorder } = recording()
    recorder.blind([4])
    expect(file.read().unrecorded).toEqual([4])
    recorder.begin(4, 9)
    expect(file.read()).toMatchObject({ running: [{ id: 4, offset: 9 }], unrecorded: [] })
  })

  test('is not blind any more when it says that none of its items runs', () => {
    const { file, recorder } = recording()
    recorder.blind([4])
    recorder.unblind()
    expect(file.read()).toEqual({ outcomes: [], running: [], unrecorded: [] })
  })
})

describe('an item that a reader may have found late', () => {
  const LIMIT = 200

  /** Item 0 of chunk 1 began at 0; it is at 199.9 that it ends, and what runs from then on is said to the clock. */
  function onTheEdge(...times: number[]) {
    const file = createFlightRecordFile()!
    files.push(file)
    let last = 0
    const recorder = new FlightRecorder(file.fd, () => (last = times.shift() ?? last))
    recorder.begin(1, 0, LIMIT)
    recorder.value(1, 0, 'done in time')
    return { file, recorder }
  }

  test('lets no other begin when its end was written down too late', () => {
    const { file, recorder } = onTheEdge(0, 199.9, 199.9, 200, 200)
    expect(recorder.begin(1, 1, LIMIT)).toBe(false)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [] })
  })

  test('lets no other begin when its end was never written down', () => {
    const { file, recorder } = onTheEdge(0, 250)
    expect(recorder.begin(2, 0)).toBe(false)
    expect(file.read().running).toMatchObject([{ id: 1, offset: 0 }])
  })

  test('lets the next begin when its end was written down in time', () => {
    const { recorder } = onTheEdge(0, 199.9)
    expect(recorder.begin(1, 1, LIMIT)).toBe(true)
  })

  test('is in time if the end of its chunk was, however long nothing happens then', () => {
    const { recorder } = onTheEdge(0, 199.9, 5_000)
    recorder.end(1)
    expect(recorder.begin(2, 0, LIMIT)).toBe(true)
  })

  test('holds up the rest once only: whoever gives it again has judged', () => {
    const { recorder } = onTheEdge(0, 250)
    expect(recorder.begin(2, 0, LIMIT)).toBe(false)
    expect(recorder.begin(3, 0, LIMIT)).toBe(true)
  })
})

describe('a frozen recorder', () => {
  test('goes on naming what ran when it was frozen, however much happens', () => {
    const { file, recorder } = recording()
    recorder.begin(1, 0)
    recorder.freeze()
    for (let offset = 0; offset < 20; offset++) {
      recorder.json(1, offset, JSON.stringify('x'.repeat(20_000)))
      recorder.begin(1, offset + 1)
    }
    recorder.end(1)
    recorder.delivered(recorder.mark)
    expect(file.read()).toMatchObject({ outcomes: [], running: [{ id: 1, offset: 0 }] })
  })
})
