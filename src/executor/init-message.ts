// The first message to a worker: the job, and how the worker runs it.
import { type InitMessage, type JobSource, PROTOCOL_VERSION } from '../ipc/protocol.js'
import type { WorkerHandle } from '../transport/transport.js'
import { concurrencyOf } from './scheduler/scaling.js'

export interface InitOptions {
  readonly processes: number
  /** Items that one worker runs at a time. */
  readonly concurrency: number
  readonly itemsAtATime?: number | undefined
  readonly initializer?: string | undefined
  readonly initArgs: readonly unknown[]
  readonly params?: Readonly<Record<string, unknown>> | undefined
  /** See `InitMessage`. */
  readonly loadOnly?: boolean | undefined
  readonly markOutput: boolean
  /** Resident bytes of one worker. */
  readonly maxMemoryBytes?: number | undefined
}

export function initMessage(
  workerId: number,
  { token, recorder }: WorkerHandle,
  job: JobSource,
  options: InitOptions,
): InitMessage {
  const { initializer, initArgs, params, loadOnly = false, markOutput, maxMemoryBytes } = options
  return {
    type: 'init',
    version: PROTOCOL_VERSION,
    token,
    workerId,
    job,
    ...(initializer !== undefined && { initializer }),
    ...(recorder !== undefined && { recorder }),
    initArgs,
    ...(params !== undefined && { params }),
    loadOnly,
    concurrency: concurrencyOf(workerId, options),
    markOutput,
    reportMemory: maxMemoryBytes !== undefined,
  }
}
