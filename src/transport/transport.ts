// The seam between the executor and worker processes: how a worker is started, and what is sent to it and received from
// it. `fork.ts` implements it; tests use fakes.
import type { FlightRecord } from '../ipc/flight-recorder/reader.js'
import type { FromWorker, ToWorker } from '../ipc/protocol.js'
import type { WorkerStream } from '../model.js'

/** Everything that can happen to a worker. The last one is `exited` or `spawn-failed`, after all messages and output. */
export type TransportEvent =
  | { readonly type: 'message'; readonly message: FromWorker }
  /** Whole lines: one or several, without the last line end. */
  | {
      readonly type: 'output'
      readonly stream: WorkerStream
      readonly lines: string
      readonly index?: number
    }
  /** The job has written to the channel. The worker is being killed. */
  | { readonly type: 'channel-damaged' }
  | {
      readonly type: 'exited'
      readonly exitCode: number | null
      readonly signal: string | null
      /** The last lines it wrote to stderr. */
      readonly stderrTail: readonly string[]
      /** The content of its flight recorder; `undefined` if it has none. */
      readonly recorded: FlightRecord | undefined
    }
  /** There was never a process. */
  | { readonly type: 'spawn-failed'; readonly error: Error }

export interface WorkerHandle {
  /** 0 if the process could not be started. */
  readonly pid: number
  /** Secret that the worker adds to each of its messages, so that a job cannot forge one. */
  readonly token: string
  /** File descriptor of the flight recorder in the worker; `undefined` if there is none. */
  readonly recorder: number | undefined
  /** Throws if a value cannot be cloned. Does nothing after the worker has exited. */
  send(message: ToWorker): void
  /** The current content of its flight recorder. */
  inspect(): FlightRecord | undefined
  /** Sends a signal to the worker's whole process group. SIGTERM also ends a worker whose job does not handle it. */
  kill(signal: NodeJS.Signals): void
  /** Whether its output is read. While it is not, the worker waits in a write once its pipe is full. */
  readOutput(on: boolean): void
  /** Whether the worker keeps this process alive, as `ref()` and `unref()` of Node's handles. */
  ref(on: boolean): void
}

export interface Transport {
  /** Starts a worker. `onEvent` is never called before this returns. */
  spawn(onEvent: (event: TransportEvent) => void, workerId: number): WorkerHandle
  /** After the last worker has exited. */
  close?(): Promise<void>
}
