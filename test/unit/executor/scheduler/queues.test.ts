import { describe, expect, test } from 'vitest'
import { DelayQueue, Fifo } from '../../../../src/executor/scheduler/queues.js'
import fc from '../../../helpers/fast-check.js'

describe('first in, first out', () => {
  test('does what an array does, whatever is asked of it', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('push'), value: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('shift'), value: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unshift', 'clear'), value: fc.nat() }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const fifo = new Fifo<number>()
        let model: number[] = []
        for (const { do: what, value } of steps) {
          if (what === 'push') {
            fifo.push(value)
            model.push(value)
          } else if (what === 'unshift') {
            fifo.unshift(value)
            model.unshift(value)
          } else if (what === 'shift') expect(fifo.shift()).toBe(model.shift())
          else {
            fifo.clear()
            model = []
          }
          expect(fifo.length).toBe(model.length)
        }
      }),
    )
  })

  test('gives back undefined that was put in', () => {
    const fifo = new Fifo<undefined>()
    fifo.push(undefined)
    expect(fifo.length).toBe(1)
    fifo.shift()
    expect(fifo.length).toBe(0)
  })
})

describe('an agenda', () => {
  test('gives the earliest first, and nothing before its time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), fc.boolean()), { maxLength: 200 }), (steps) => {
        const agenda = new DelayQueue<number>()
        let model: number[] = []
        let now = 0
        for (const [at, add] of steps) {
          if (add) {
            agenda.add(at, at)
            model = [...model, at].sort((a, b) => a - b)
          } else {
            now = (now + at) % 100
            expect(agenda.take(now)).toBe(
              model[0] !== undefined && model[0] <= now ? model.shift() : undefined,
            )
          }
          expect(agenda.earliest).toBe(model[0])
          expect(agenda.length).toBe(model.length)
        }
      }),
    )
  })

  test('is empty once it is cleared', () => {
    const agenda = new DelayQueue<string>()
    agenda.add(1, 'a')
    agenda.clear()
    expect(agenda.take(2)).toBeUndefined()
    expect(agenda.earliest).toBeUndefined()
  })
})
