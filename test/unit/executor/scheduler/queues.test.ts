import { describe, expect, test } from 'vitest'
import { DelayQueue, Fifo } from '../../../../src/executor/scheduler/queues.js'
import fc from '../../../helpers/fast-check.js'

describe('Fifo', () => {
  test('does what an array does', () => {
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
            expect(fifo.takeAll()).toEqual(model)
            model = []
          }
          expect(fifo.length).toBe(model.length)
        }
      }),
    )
  })

  test('returns undefined that was added', () => {
    const fifo = new Fifo<undefined>()
    fifo.push(undefined)
    expect(fifo.length).toBe(1)
    fifo.shift()
    expect(fifo.length).toBe(0)
  })
})

describe('DelayQueue', () => {
  test('returns the earliest first, and nothing before it is due', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), fc.boolean()), { maxLength: 200 }), (steps) => {
        const queue = new DelayQueue<number>()
        let model: number[] = []
        let now = 0
        for (const [at, add] of steps) {
          if (add) {
            queue.add(at, at)
            model = [...model, at].sort((a, b) => a - b)
          } else {
            now = (now + at) % 100
            expect(queue.take(now)).toBe(
              model[0] !== undefined && model[0] <= now ? model.shift() : undefined,
            )
          }
          expect(queue.earliest).toBe(model[0])
          expect(queue.length).toBe(model.length)
        }
      }),
    )
  })

  test('is empty once all is taken', () => {
    const queue = new DelayQueue<string>()
    queue.add(1, 'a')
    queue.add(0, 'b')
    expect([...queue.takeAll()].sort()).toEqual(['a', 'b'])
    expect(queue.take(2)).toBeUndefined()
    expect(queue.earliest).toBeUndefined()
  })
})
