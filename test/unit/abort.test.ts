import { describe, expect, test, vi } from 'vitest'
import { Canceller, onAbort } from '../../src/abort.js'

describe('onAbort', () => {
  test('calls every listener of a signal once, in order, and none that stopped listening', () => {
    const controller = new AbortController()
    const called: number[] = []
    const stops = [1, 2, 3].map((n) => onAbort(controller.signal, () => called.push(n)))
    stops[1]!()
    controller.abort()
    controller.abort()
    expect(called).toEqual([1, 3])
  })

  test('listens once, so that Node does not warn of a leak', () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    for (let i = 0; i < 20; i++) onAbort(signal, () => {})
    expect(add).toHaveBeenCalledOnce()
  })

  test('does not call a listener that is added while the signal aborts', () => {
    const controller = new AbortController()
    const called: string[] = []
    onAbort(controller.signal, () => {
      called.push('first')
      onAbort(controller.signal, () => called.push('late'))
    })
    controller.abort()
    expect(called).toEqual(['first'])
  })
})

describe('Canceller', () => {
  test('aborts once, with its reason, and calls its listeners as a signal does', () => {
    const canceller = new Canceller()
    const called: string[] = []
    onAbort(canceller, () => {
      called.push(`first: ${canceller.reason}`)
      onAbort(canceller, () => called.push('late'))
    })
    onAbort(canceller, () => called.push('stopped'))()
    onAbort(canceller, () => called.push('last'))
    expect([canceller.aborted, canceller.reason]).toEqual([false, undefined])
    canceller.abort('why')
    canceller.abort('again')
    expect([canceller.aborted, canceller.reason]).toEqual([true, 'why'])
    expect(called).toEqual(['first: why', 'last'])
  })
})
