// Plain data that the tests of the scheduler's pieces share.
import type { ScheduledCall } from '../../../../src/executor/scheduler/call.js'
import { CallTable } from '../../../../src/executor/scheduler/calls.js'
import type { CallOptions, Command } from '../../../../src/executor/scheduler/messages.js'
import type { PendingChunk } from '../../../../src/executor/scheduler/pending-chunk.js'
import type { ResultsMessage } from '../../../../src/ipc/protocol.js'
import type { Chunk, Failure, TaskSpec } from '../../../../src/model.js'

export const TASK: TaskSpec = { name: 'default', calling: 'item', reply: 'values' }
export const EXPORTS = { default: 'function' } as const

export const FAILURE: Failure = {
  kind: 'error',
  error: { type: 'thrown', typeName: 'string', preview: "'x'", cloned: true, value: 'x' },
}

/** Items that are their own indexes. */
export function chunkOf(seq: number, count: number): Chunk {
  const values = Array.from({ length: count }, (_, i) => seq + i)
  return { seq, count, payload: { kind: 'values', values } }
}

export function pendingOf(seq: number, count: number, changes: Partial<PendingChunk> = {}): PendingChunk {
  return {
    chunk: chunkOf(seq, count),
    attempt: 1,
    earlier: [],
    recordEachItem: false,
    isSuspect: false,
    begunBefore: undefined,
    ...changes,
  }
}

/** Every item returned what it was given. */
export function resultsOf(
  id: number,
  seq: number,
  count: number,
  changes: Partial<ResultsMessage> = {},
): ResultsMessage {
  const from = changes.from ?? 0
  const values = Array.from({ length: count }, (_, i) => seq + from + i)
  return { id, from, count, results: { kind: 'values', values }, failures: [], busyMs: 1, ...changes }
}

export function callOf(options: Partial<CallOptions> = {}): ScheduledCall {
  const calls = new CallTable({ processes: 1, concurrency: 1 }, () => {})
  calls.open(1, { task: TASK, ...options })
  return calls.turns.next(false, true, 0)!
}

/** One line per command, without what is not needed to tell them apart. */
export function lines(commands: readonly Command[]): string[] {
  return commands.map((command) => {
    switch (command.type) {
      case 'spawn':
      case 'return':
      case 'stop':
      case 'terminate':
      case 'inspect':
      case 'ping':
        return `${command.type} ${command.worker}`
      case 'pull':
        return `pull ${command.call}`
      case 'run': {
        const { index, count, attempt } = command.chunk
        return `run ${command.worker}: ${count} from ${index}${attempt > 1 ? `, attempt ${attempt}` : ''}`
      }
      case 'expire':
        return `expire ${command.worker}: ${command.id} at ${command.offset}`
      case 'cancel':
        return `cancel ${command.worker}: ${command.ids.join(' ')}`
      case 'kill':
        return `kill ${command.worker}: ${command.signal}`
      case 'settle': {
        const { chunk, from, count, failures } = command.settled
        const failed = failures.map(({ failure }) => ` ${failure.kind}`).join('')
        return `settle ${command.call}: ${count} from ${chunk.seq + from}${failed}`
      }
      case 'cancelled': {
        const { chunk, from, count, attempts } = command.cancelled
        return `cancelled ${command.call}: ${count} from ${chunk.seq + from}, attempt ${attempts}`
      }
      case 'held':
        return `held ${command.call}: ${command.bytes}`
      case 'end':
        return `end ${command.call}: ${command.end.type}`
      case 'warn':
        return `warn: ${command.warning.kind}`
      case 'closed':
        return 'closed'
      default:
        return command satisfies never
    }
  })
}
