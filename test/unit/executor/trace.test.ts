// Which of the scheduler's commands have a line with --debug: those on a worker's life, and chunks whose size changes.
import { expect, it } from 'vitest'
import type { Command } from '../../../src/executor/scheduler/messages.js'
import { traceCommands } from '../../../src/executor/trace.js'
import type { ChunkMessage } from '../../../src/ipc/protocol.js'

function traced(...commands: Command[]): string[] {
  const lines: string[] = []
  const trace = traceCommands((line) => lines.push(line))
  for (const command of commands) trace(command)
  return lines
}

function run(worker: number, index: ChunkMessage['index'], count: number, attempt = 1): Command {
  const task = { name: 'default', calling: 'item', reply: 'json' } as const
  const payload = { kind: 'values', values: [] } as const
  return {
    type: 'run',
    worker,
    chunk: { id: 1, task, count, index, attempt, recordEachItem: false, isSmall: false, payload },
  }
}

it('traces a chunk that is twice as large as the largest one of its worker so far', () => {
  expect(
    traced(
      run(0, 0, 1),
      run(1, 1, 1),
      run(0, 2, 1),
      run(0, 3, 8),
      run(0, 11, 9),
      run(0, 20, 7),
      run(0, 27, 3),
    ),
  ).toEqual([
    'worker 0: 1 item at a time, from item 0 on',
    'worker 1: 1 item at a time, from item 1 on',
    'worker 0: 8 items at a time, from item 3 on',
  ])
})

it('traces every retry, by its item', () => {
  expect(traced(run(0, [7], 1, 2), run(1, 7, 1, 3))).toEqual([
    'worker 0: item 7, attempt 2',
    'worker 1: item 7, attempt 3',
  ])
})

it('traces whatever ends a worker', () => {
  expect(
    traced(
      { type: 'spawn', worker: 0 },
      { type: 'inspect', worker: 0 },
      { type: 'cancel', worker: 0, ids: [1, 2] },
      { type: 'return', worker: 0 },
      { type: 'stop', worker: 1 },
      { type: 'terminate', isImmediate: false, why: 'the pool was terminated', worker: 0 },
      { type: 'kill', worker: 0, signal: 'SIGKILL' },
      { type: 'closed' },
    ),
  ).toEqual([
    'worker 0: cancelling 2 chunks',
    'worker 0: taking back what has not started',
    'worker 1: stopping',
    'worker 0: terminating',
    'worker 0: sent SIGKILL',
  ])
})
