// A real file with a recorder that writes to it, and chunks whose position a test sets.
import { onTestFinished } from 'vitest'
import { createFlightRecordFile } from '../../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder, type RecordedChunk } from '../../../../src/ipc/flight-recorder/writer.js'

const NEVER = Number.POSITIVE_INFINITY

export class TestChunk implements RecordedChunk {
  readonly id: number
  offset = 0
  isRecorded = true
  isItemRunning = false
  since = Number.NaN
  lateAt = NEVER
  readonly #recorder: FlightRecorder

  constructor(recorder: FlightRecorder, id: number) {
    this.#recorder = recorder
    this.id = id
    recorder.open(this)
  }

  start(offset: number, timeoutMs = NEVER): boolean {
    this.offset = offset
    this.isItemRunning = this.#recorder.startItem(this, timeoutMs)
    return this.isItemRunning
  }

  /** The running item settles, and the next one is not started. */
  settle(kind: 'json' | 'value' | 'failure', outcome: unknown): boolean {
    const isKept = this.#recorder[kind](this, outcome as never)
    this.isItemRunning = false
    return isKept
  }

  stopRecording(): void {
    this.isRecorded = false
    this.#recorder.noteUnrecorded(this)
    this.#recorder.write()
  }
}

export function recording(now?: () => number) {
  const created = createFlightRecordFile()!
  const file = { ...created, read: () => created.read()! }
  onTestFinished(() => file.close())
  const recorder = new FlightRecorder(file.fd, { now })
  return { file, recorder, chunk: (id: number) => new TestChunk(recorder, id) }
}
