import { describe, expect, it } from 'vitest'
import { Executions } from '../../../src/executor/executions.js'
import type { Execution } from '../../../src/executor/executor.js'
import type { SchedulerInput } from '../../../src/executor/scheduler/messages.js'
import type { CancelledRange, Chunk } from '../../../src/model.js'
import { chunkOf, TASK } from './scheduler/data.js'

const NO_ITEMS = { next: () => undefined, close: () => {} }
const WANT = { items: 10, bytes: Number.POSITIVE_INFINITY }
const SETTLED = {
  results: { kind: 'values', values: [0] },
  failures: [],
  workerId: 0,
  pid: 1,
  attempts: 1,
} as const

function setUp(changes: Partial<Execution> = {}) {
  const posted: SchedulerInput[] = []
  const settled: number[] = []
  const cancelled: CancelledRange[] = []
  const executions = new Executions((input) => posted.push(input))
  const ended = executions.open({
    task: TASK,
    source: NO_ITEMS,
    onSettled: ({ count }) => settled.push(count),
    onCancelled: (range) => cancelled.push(range),
    ...changes,
  })
  const settle = (chunk: Chunk, count: number) =>
    executions.perform({ type: 'settle', call: 1, settled: { ...SETTLED, chunk, from: 0, count } })
  return { executions, posted, settled, cancelled, ended, settle }
}

describe('an execution', () => {
  it('with all of its items at hand opens its call with them', () => {
    const chunk = chunkOf(0, 3)
    const { posted } = setUp({ source: { ...NO_ITEMS, whole: () => chunk } })
    expect(posted).toMatchObject([{ type: 'open', call: 1, remaining: 3, chunk }])
  })

  it('whose signal has aborted before is aborted once its call is open', () => {
    const { posted } = setUp({ signal: AbortSignal.abort(new Error('enough')) })
    expect(posted).toMatchObject([{ type: 'open' }, { type: 'abort', call: 1, why: 'enough' }])
  })

  it('needs no workers while it waits for its source and nothing of it is unsettled', async () => {
    let supply!: (chunk: Chunk | undefined) => void
    const source = {
      ...NO_ITEMS,
      next: () => new Promise<Chunk | undefined>((resolve) => (supply = resolve)),
    }
    const { executions, posted, settled, settle } = setUp({ source })
    expect(executions.needWorkers).toBe(true)
    executions.perform({ type: 'pull', call: 1, want: WANT })
    expect(executions.needWorkers).toBe(false)
    supply(chunkOf(0, 2))
    await Promise.resolve()
    expect(posted[1]).toMatchObject({ type: 'supply', call: 1 })
    expect(executions.needWorkers).toBe(true)
    executions.perform({ type: 'pull', call: 1, want: WANT })
    expect(executions.needWorkers).toBe(true)
    settle(chunkOf(0, 2), 2)
    expect(settled).toEqual([2])
    expect(executions.needWorkers).toBe(false)
  })

  it('is told of what was cancelled after the end of all, and not after its own', async () => {
    for (const isEndOfAll of [false, true]) {
      const { executions, cancelled, ended } = setUp()
      if (isEndOfAll) executions.expectEnd()
      executions.perform({ type: 'end', call: 1, end: { type: 'aborted' } })
      await ended
      const range = { chunk: chunkOf(0, 1), from: 0, count: 1, workerId: 0, pid: 1, attempts: 1 }
      executions.perform({ type: 'cancelled', call: 1, cancelled: range })
      expect(cancelled).toHaveLength(isEndOfAll ? 1 : 0)
    }
  })

  it('that a fault ends is rejected with it', async () => {
    const { executions, ended } = setUp()
    executions.perform({ type: 'end', call: 1, end: { type: 'terminated' } })
    await expect(ended).rejects.toMatchObject({ name: 'ExecutionFault', taskName: 'default' })
    expect(executions.needWorkers).toBe(false)
  })
})
