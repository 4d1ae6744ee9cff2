// Results that must fit the first one: what waits for it, and what they settle as.
import { describe, expect, it } from 'vitest'
import type { ResultCheck } from '../../../../src/executor/result-check.js'
import { CallTable } from '../../../../src/executor/scheduler/calls.js'
import type { CallOptions, Command } from '../../../../src/executor/scheduler/messages.js'
import type { Failure } from '../../../../src/model.js'
import { chunkOf, EXPORTS, FAILURE } from './data.js'

const WORKER = { id: 0, pid: 1000 }
const WRONG: Failure = { kind: 'encoding', side: 'result', path: '', message: 'wrong', preview: '' }

/** Takes results that begin with the same letter as the first one. `-` cannot be the first. */
class SameLetter implements ResultCheck {
  letter: string | undefined
  get isReady() {
    return this.letter !== undefined
  }
  begin(lines: Uint8Array) {
    this.letter ??= /[a-z]/.exec(textOf(lines))?.[0]
    return this.isReady
  }
  check(lines: Uint8Array) {
    const isWrong = (text: string) => text !== '-' && !text.startsWith(this.letter ?? '?')
    return textOf(lines)
      .split('\n')
      .slice(0, -1)
      .flatMap((text, line) => (isWrong(text) ? [{ line, failure: WRONG }] : []))
  }
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

function setUp(chunks: readonly number[], options: Partial<CallOptions> = {}) {
  const log: string[] = []
  const send = (command: Command) => {
    if (command.type === 'settle') {
      const { chunk, from, count, failures, results } = command.settled
      const failed = failures.map(({ offset, failure }) => `${failure.kind}@${chunk.seq + offset}`)
      const text = results.kind === 'json' ? textOf(results.bytes).trim().replaceAll('\n', ' ') : ''
      log.push([`${chunk.seq + from}+${count}`, text, ...failed].filter(Boolean).join(' '))
    } else if (command.type === 'cancelled') {
      log.push(`cancelled ${command.cancelled.chunk.seq + command.cancelled.from}`)
    } else if (command.type === 'held') log.push(`held ${command.bytes}`)
    else if (command.type === 'end') log.push(command.end.type)
  }
  const calls = new CallTable({ processes: 1, concurrency: 1 }, send)
  calls.jobLoaded(EXPORTS)
  const check = new SameLetter()
  const task = { name: 'default', calling: 'item', reply: 'json' } as const
  calls.open(1, { task, check, isOrdered: true, ...options })
  let seq = 0
  for (const count of chunks) {
    calls.supply(1, chunkOf(seq, count), undefined)
    seq += count
  }
  const take = () => {
    const call = calls.turns.next(false, true, 0)!
    return { call, pending: calls.take(call, Number.POSITIVE_INFINITY, 0)! }
  }
  const inFlight = chunks.map(take)
  return {
    calls,
    take,
    inFlight,
    settle(
      chunk: ReturnType<typeof take>,
      text: string,
      failures: readonly { offset: number; failure: Failure }[] = [],
      from = 0,
    ) {
      const lines = text.split(' ').filter(Boolean)
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      const count = lines.length + failures.length
      const results = { kind: 'json', bytes } as const
      calls.settle(WORKER, chunk, { id: 0, from, count, results, failures, busyMs: 0 }, 0)
      return log.splice(0)
    },
    end() {
      for (const { call } of inFlight) calls.release(call)
      calls.supply(1, undefined, undefined)
      return log.splice(0)
    },
    log: () => log.splice(0),
  }
}

describe('results of an ordered call', () => {
  it('wait for the first one, and what does not fit it fails', () => {
    const { settle, inFlight, end } = setUp([2, 2, 2])
    const [first, second, third] = inFlight
    expect(settle(third!, 'b1 a1')).toEqual(['held 6'])
    expect(settle(second!, 'a2 b2')).toEqual(['held 6'])
    expect(settle(first!, 'b3 b4')).toEqual([
      'held -12',
      '0+2 b3 b4',
      '2+2 b2 encoding@2',
      '4+2 b1 encoding@5',
    ])
    expect(end()).toEqual(['done'])
  })

  it('do not keep failures waiting, and a failed item has no first result', () => {
    const { settle, inFlight } = setUp([1, 4])
    const [first, second] = inFlight
    expect(settle(second!, 'b a b', [{ offset: 1, failure: FAILURE }])).toEqual(['held 6', '2+1 error@2'])
    expect(settle(first!, '', [{ offset: 0, failure: FAILURE }])).toEqual([
      '0+1 error@0',
      '1+1 b',
      '3+2 b encoding@3',
    ])
  })

  it('wait for an item that is retried', () => {
    const { settle, inFlight, take } = setUp([1, 1], {
      retry: { retries: 1, delayMs: 0, on: ['error'] },
    })
    const [first, second] = inFlight
    expect(settle(second!, 'a')).toEqual(['held 2'])
    expect(settle(first!, '', [{ offset: 0, failure: FAILURE }])).toEqual([])
    expect(settle(take(), 'b')).toEqual(['held -2', '0+1 b', '1+1 encoding@1'])
  })

  it('are retried where they do not fit and --retry-on says so', () => {
    const { settle, inFlight, take } = setUp([3], {
      retry: { retries: 1, delayMs: 0, on: ['encoding'] },
    })
    expect(settle(inFlight[0]!, 'a b a')).toEqual(['0+1 a', '2+1 a'])
    const again = take()
    expect(again.pending).toMatchObject({ attempt: 2, chunk: { seq: 1, count: 1 } })
    expect(settle(again, 'a')).toEqual(['1+1 a'])
  })

  it('that cannot be the first do not wait once nothing before them can', () => {
    const { settle, inFlight, end } = setUp([2, 1, 1])
    const [first, second, third] = inFlight
    expect(settle(second!, '-')).toEqual(['held 2'])
    expect(settle(first!, '- -')).toEqual(['held -2', '0+2 - -', '2+1 -'])
    expect(settle(third!, 'b')).toEqual(['3+1 b'])
    expect(end()).toEqual(['done'])
  })
})

describe('results of an unordered call', () => {
  it('fit the one that arrives first', () => {
    const { settle, inFlight } = setUp([1, 2], { isOrdered: false })
    expect(settle(inFlight[1]!, 'a b')).toEqual(['1+2 a encoding@2'])
    expect(settle(inFlight[0]!, 'b')).toEqual(['0+1 encoding@0'])
  })
})

describe('results that wait when their call ends early', () => {
  it.each(['abort', 'drain'] as const)('settle, and the first of them is the first result: %s', (how) => {
    const { calls, settle, inFlight, log } = setUp([1, 2, 1])
    const [first, second, third] = inFlight
    settle(third!, 'b')
    settle(second!, 'a b')
    if (how === 'abort') {
      calls.abort(1)
      expect(log()).toEqual(['held -6', '1+2 a encoding@2', '3+1 encoding@3'])
      return
    }
    calls.drain(1)
    expect(log()).toEqual([])
    for (const { call } of [first!, second!, third!]) calls.release(call)
    expect(log()).toEqual(['held -6', '1+2 a encoding@2', '3+1 encoding@3', 'done'])
  })

  it('settle before a fault ends it', () => {
    const { calls, settle, inFlight, log } = setUp([1, 1])
    settle(inFlight[1]!, 'a')
    calls.endAll(() => ({ type: 'aborted' }))
    expect(log()).toEqual(['held -2', '1+1 a', 'aborted'])
  })
})
