// That an item costs the same however many there are: counted in inputs and commands, not in ms.
import { describe, expect, test } from 'vitest'
import type { Command, SchedulerInput } from '../../../../src/executor/scheduler/messages.js'
import { Scheduler } from '../../../../src/executor/scheduler/scheduler.js'

const TASK = { name: 'default', calling: 'item', reply: 'json' } as const
const NO_BYTES = new Uint8Array(0)
const PAYLOAD = { kind: 'bytes', framing: 'ndjson', bytes: NO_BYTES } as const

/** Workers that settle every chunk immediately. */
function drive(processes: number) {
  const scheduler = new Scheduler({
    processes,
    concurrency: 1,
    initTimeoutMs: 1_000,
    killAfterMs: 1_000,
    maxRestarts: 0,
  })
  const inbox: SchedulerInput[] = []
  let inputs = 0
  let commands = 0
  const left = new Map<number, number>()
  const seqs = new Map<number, number>()
  const chunkSizes = new Map<number, number>()
  const perform = (command: Command) => {
    commands++
    if (command.type === 'spawn')
      inbox.push({ type: 'ready', worker: command.worker, exports: { default: 'function' } })
    else if (command.type === 'pull') {
      const { call } = command
      const count = Math.min(command.want.items, left.get(call)!)
      const seq = seqs.get(call)!
      left.set(call, left.get(call)! - count)
      seqs.set(call, seq + count)
      const chunk = count === 0 ? undefined : { seq, count, payload: PAYLOAD }
      inbox.push({ type: 'supply', call, chunk, remaining: left.get(call)! })
    } else if (command.type === 'run') {
      const { id, count } = command.chunk
      const range = {
        id,
        from: 0,
        count,
        results: { kind: 'json', bytes: NO_BYTES },
        failures: [],
        busyMs: 1,
      } as const
      inbox.push({ type: 'settled', worker: command.worker, ranges: [range] })
    }
  }
  const run = () => {
    for (let next = 0; next < inbox.length; next++) {
      inputs++
      for (const command of scheduler.handle(inbox[next]!, 0)) perform(command)
      scheduler.nextWake()
      if (next > 10_000) next -= inbox.splice(0, next + 1).length
    }
    inbox.length = 0
  }
  return {
    open(call: number, items: number, chunkSize: number) {
      left.set(call, items)
      seqs.set(call, 0)
      chunkSizes.set(call, chunkSize)
      inbox.push({ type: 'open', call, task: TASK, chunkSize, remaining: items })
    },
    run,
    counts: () => ({ inputs, commands }),
  }
}

describe('ten million items in sixty-four workers', () => {
  test('cost as many steps per chunk as ten thousand do', () => {
    const stepsPerChunk = (items: number, chunkSize: number) => {
      const world = drive(64)
      world.open(1, items, chunkSize)
      world.run()
      const { inputs, commands } = world.counts()
      return (inputs + commands - 3 * 64) / (items / chunkSize)
    }
    const few = stepsPerChunk(10_000, 10)
    const many = stepsPerChunk(10_000_000, 1_000)
    expect(many).toBeLessThan(few * 1.1)
    // pull, supply, run, settled, settle.
    expect(many).toBeLessThan(5.5)
  })
})

describe('fifty thousand open calls', () => {
  test('of one item each cost a few steps each', () => {
    const world = drive(4)
    const calls = 50_000
    for (let call = 0; call < calls; call++) world.open(call, 1, 1)
    const began = process.cpuUsage()
    world.run()
    const { user } = process.cpuUsage(began)
    const { inputs } = world.counts()
    expect(inputs).toBeLessThan(calls * 6)
    // Visiting every open call for every input would be some 10 billion visits: minutes of processor time, not seconds.
    expect(user).toBeLessThan(15_000_000)
  })
})
