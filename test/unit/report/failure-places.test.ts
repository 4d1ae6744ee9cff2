import { describe, expect, it } from 'vitest'
import type { Failure } from '../../../src/model.js'
import { FailurePlaces, placeOf, type RepeatedFailure } from '../../../src/report/failure-places.js'

const error = (message: string, frames = '\n    at f (job.ts:1:1)\n    at g', name = 'Error'): Failure => ({
  kind: 'error',
  error: { type: 'error', name, message, frames } as never,
})
const thrown = (preview: string, typeName: string): Failure => ({
  kind: 'error',
  error: { type: 'thrown', typeName, preview, cloned: false } as never,
})
const crash = { exitCode: null, signal: 'SIGKILL', afterMs: 1, stderrTail: [] }

describe('the place of a failure', () => {
  it.each<[what: string, a: Failure, b: Failure]>([
    ['messages', error('a'), error('b')],
    ['frames below the first', error('a'), error('a', '\n    at f (job.ts:1:1)\n    at h')],
    ['values that are no errors', thrown("'a'", 'string'), thrown("'b'", 'string')],
    ['time limits', { kind: 'timeout', timeoutMs: 1 }, { kind: 'timeout', timeoutMs: 2 }],
    ['signals', { kind: 'crash', ...crash }, { kind: 'crash', ...crash, signal: null, exitCode: 3 }],
    ['lines of the input', { kind: 'input', message: 'a', at: 0 }, { kind: 'input', message: 'b', at: 1 }],
  ])('is the same with different %s', (_, a, b) => {
    expect(placeOf(a)).toBe(placeOf(b))
  })

  it.each<[what: string, a: Failure, b: Failure]>([
    ['first frame', error('a'), error('a', '\n    at f (job.ts:2:1)')],
    ['class', error('a'), error('a', undefined, 'TypeError')],
    ['kind', { kind: 'crash', ...crash }, { kind: 'oom', ...crash }],
    ['type of what was thrown', thrown("'1'", 'string'), thrown('1', 'number')],
    [
      'exit',
      { kind: 'crash', ...crash, exitSite: '    at a' },
      { kind: 'crash', ...crash, exitSite: '    at b' },
    ],
  ])('differs with the %s', (_, a, b) => {
    expect(placeOf(a)).not.toBe(placeOf(b))
  })
})

describe('FailurePlaces', () => {
  it('shows ten, then a line per new message, and counts the rest', () => {
    const repeated: RepeatedFailure[] = []
    const places = new FailurePlaces('messages', (each) => repeated.push(each))
    const displays = Array.from({ length: 15 }, (_, i) =>
      places.add(100 + i, error(i < 12 ? 'known' : `new ${i >> 1}`)),
    )
    expect(displays.map(({ display }) => display)).toEqual([
      'first',
      ...Array(9).fill('full'),
      'counted',
      'counted',
      'line',
      'counted',
      'line',
    ])
    expect(displays[14]!.like).toBe(100)
    places.finish()
    expect(repeated).toEqual([{ index: 100, failure: error('known'), more: 3 }])
  })

  it('keeps a bounded number of messages: beyond that they count as known', () => {
    const places = new FailurePlaces('messages', () => {})
    let lines = 0
    for (let i = 0; i < 100_020; i++) if (places.add(i, error(`message ${i}`)).display === 'line') lines++
    expect(lines).toBe(100_000 - 10)
  })
})
