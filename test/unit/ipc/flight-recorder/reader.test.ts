// What a reader makes of a file that is empty, cut off, closed or overwritten.
import { closeSync, ftruncateSync, writeSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createFlightRecordFile } from '../../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../../src/ipc/flight-recorder/writer.js'
import { recording, TestChunk } from './recording.js'

const NOTHING = { outcomes: [], running: [], unrecorded: [] }

describe('reading a flight record', () => {
  test('gives nothing before anything was written', () => {
    expect(recording().file.read()).toEqual(NOTHING)
  })

  test('stops before a record that was torn', () => {
    const { file, chunk } = recording()
    const one = chunk(1)
    one.start(0)
    one.settle('json', '"first"')
    one.start(1)
    ftruncateSync(file.fd, 60)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [] })
  })

  test('gives less, and never an error, where the file is closed', () => {
    const file = createFlightRecordFile()!
    const recorder = new FlightRecorder(file.fd)
    closeSync(file.fd)
    new TestChunk(recorder, 1).start(0)
    expect(file.read()).toEqual(NOTHING)
  })

  test('ignores what makes no sense in a file that the job wrote to', () => {
    const { file, chunk } = recording()
    chunk(1).start(0)
    writeSync(file.fd, 'the job writes here', 0)
    expect(file.read()).toEqual(NOTHING)
  })
})
