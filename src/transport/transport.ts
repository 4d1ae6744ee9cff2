// The inner seam: how a worker process comes to be and how messages reach it. Knows nothing of chunks' meaning.
import type { FlightRecord } from '../ipc/flight-recorder/reader.js'
import type { FromWorker, ToWorker } from '../ipc/protocol.js'
import type { WorkerStream } from '../model.js'

/** Everything that can happen to a worker. `gone` is the last word, once, after all its messages and output. */
export type WorkerSignal =
  | { readonly type: 'message'; readonly message: FromWorker }
  | { readonly type: 'output'; readonly stream: WorkerStream; readonly line: string; readonly index?: number }
  | {
      readonly type: 'gone'
      readonly exitCode: number | null
      readonly signal: string | null
      readonly stderrTail: readonly string[]
      /** What it had written down; `undefined` where it could not. */
      readonly recorded: FlightRecord | undefined
    }
  /** There was never a process. Last word too. */
  | { readonly type: 'spawn-failed'; readonly error: Error }

export interface WorkerHandle {
  /** 0 when the process could not be started. */
  readonly pid: number
  readonly token: string
  /** Descriptor, in the worker, of the file it may write down in. */
  readonly recorder: number | undefined
  /** Throws where a value cannot be cloned; a worker that is gone swallows it (its `gone` tells). */
  send(message: ToWorker): void
  /** What it has written down so far. */
  inspect(): FlightRecord | undefined
  /** To the worker's whole process group. */
  kill(signal: NodeJS.Signals): void
  /** Whether the channel keeps this process alive. */
  ref(on: boolean): void
}

export interface Transport {
  /** Starts a worker; `inbox` hears of everything that happens to it, never within this call. */
  spawn(inbox: (signal: WorkerSignal) => void, workerId: number): WorkerHandle
}
