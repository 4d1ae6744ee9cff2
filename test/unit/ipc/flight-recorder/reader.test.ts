// What a reader makes of a file that is empty, cut off, closed or overwritten.
import { closeSync, fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { createFlightRecordFile } from '../../../../src/ipc/flight-recorder/file.js'
import { FILE_BYTES, HEADER } from '../../../../src/ipc/flight-recorder/format.js'
import { FlightRecorder } from '../../../../src/ipc/flight-recorder/writer.js'
import { linkedList, wasmModule } from '../../../helpers/undecodable.js'
import { recording, TestChunk } from './recording.js'

const NOTHING = { outcomes: [], running: [], begun: new Map(), unrecorded: [] }

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
    // The last byte of the second start: what a write that was cut short leaves behind.
    writeSync(file.fd, Buffer.from([0]), 0, 1, HEADER.length + 25 + 32 + 24)
    expect(file.read()).toMatchObject({ outcomes: [{ offset: 0 }], running: [] })
  })

  test('gives an outcome that cannot be read as a failure, and the ones around it as they are', () => {
    const { file, recorder, chunk } = recording()
    const one = chunk(1)
    const outcomes = [
      ['value', { a: 1 }],
      ['failure', wasmModule()],
      ['failure', linkedList(2_500)],
      ['value', 'last'],
    ] as const
    for (const [offset, [kind, outcome]] of outcomes.entries()) {
      one.start(offset)
      one.settle(kind, outcome)
    }
    recorder.write()
    const failure = { kind: 'encoding', side: 'result' }
    expect(file.read()?.outcomes).toMatchObject([
      { value: { a: 1 } },
      { failure },
      { failure },
      { value: 'last' },
    ])
  })

  test('gives nothing to rely on, and never an error, where the file is closed', () => {
    const file = createFlightRecordFile()!
    const recorder = new FlightRecorder(file.fd)
    closeSync(file.fd)
    new TestChunk(recorder, 1).start(0)
    expect(file.read()).toBeUndefined()
  })

  test('gives nothing to rely on where the job wrote over the file', () => {
    const { file, chunk } = recording()
    chunk(1).start(0)
    writeSync(file.fd, 'the job writes here', 0)
    expect(file.read()).toBeUndefined()
  })

  test('is not disturbed by a job that writes to the descriptor without a position', () => {
    const { file, chunk } = recording()
    chunk(1).start(0)
    writeSync(file.fd, 'the job writes here')
    expect(file.read().running).toMatchObject([{ id: 1, offset: 0 }])
  })

  test('gives nothing to rely on where the file was cut off: empty does not mean that nothing began', () => {
    const { file, chunk } = recording()
    chunk(1).start(0)
    ftruncateSync(file.fd, 0)
    expect(file.read()).toBeUndefined()
  })
})

describe('creating the file', () => {
  test('passes over a folder without room for it, and takes its space at once', () => {
    const file = createFlightRecordFile(['/no/such/folder', tmpdir()])!
    expect(fstatSync(file.fd).size).toBe(FILE_BYTES)
    file.close()
  })

  test('gives none where no folder has room', () => {
    expect(createFlightRecordFile(['/no/such/folder'])).toBeUndefined()
  })
})
