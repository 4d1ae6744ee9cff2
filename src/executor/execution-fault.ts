// Why an execution was refused or ended early, as data. `run/pool-error` turns it into the public error.
import type { CallEnd } from './scheduler/messages.js'

type ExecutionFaultReason = Exclude<CallEnd, { type: 'done' | 'aborted' }>

export class ExecutionFault extends Error {
  override readonly name = 'ExecutionFault'

  constructor(
    readonly reason: ExecutionFaultReason,
    readonly taskName: string,
  ) {
    super(`the execution ended: ${reason.type === 'fault' ? reason.fault.kind : reason.type}`)
  }
}
