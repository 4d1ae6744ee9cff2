import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CallbackError } from '../../../src/errors/classes.js'
import { ItemCallbackError } from '../../../src/errors/rebuild/item-callback-error.js'
import type { SettledRange } from '../../../src/model.js'
import { openCallbacks } from '../../../src/run/callback-hook.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { bytesChunk, settledRange, valuesChunk } from '../policy/ranges.js'

type Call = ['callback' | 'errorCallback', unknown, number]
const registry = globalThis as { called?: Call[]; thrown?: unknown }
const stdout = Object.getOwnPropertyDescriptor(process, 'stdout')!

const EVENTS = ['uncaughtException', 'unhandledRejection']
let listeners: unknown[] = []

beforeEach(() => {
  registry.called = []
  listeners = EVENTS.flatMap((event) => process.listeners(event as 'beforeExit'))
})
afterEach(() => {
  for (const event of EVENTS)
    for (const listener of process.listeners(event as 'beforeExit'))
      if (!listeners.includes(listener)) process.off(event, listener)
  Object.defineProperty(process, 'stdout', stdout)
  delete registry.called
})

/** The hook that calls the callbacks of this module. */
async function open(body: string): Promise<(settled: SettledRange) => Promise<void>> {
  const space = tempSpace()
  return (await openCallbacks(space.write({ 'hooks.mjs': body }), space.dir)).call
}

const RECORD = `
export function callback(result, index) { globalThis.called.push(['callback', result, index]) }
export function errorCallback(error, index) { globalThis.called.push(['errorCallback', error, index]) }
`

async function faultOf(call: Promise<void>): Promise<ItemCallbackError> {
  try {
    await call
  } catch (error) {
    if (error instanceof ItemCallbackError) return error
    throw error
  }
  throw new Error('the callback was expected to throw')
}

describe('callbacks', () => {
  test('are called once per item, in order, with values', async () => {
    const hook = await open(RECORD)
    await hook(settledRange(valuesChunk(5, 3), { failed: [1] }))
    expect(registry.called).toEqual([
      ['callback', 5, 5],
      ['errorCallback', expect.objectContaining({ message: 'boom' }), 6],
      ['callback', 7, 7],
    ])
  })

  test('get parsed results, where failed items have no line', async () => {
    const hook = await open(RECORD)
    await hook(settledRange(bytesChunk(0, 4), { from: 1, count: 3, failed: [2] }))
    expect(registry.called?.map(([which, , index]) => [which, index])).toEqual([
      ['callback', 1],
      ['errorCallback', 2],
      ['callback', 3],
    ])
    expect(registry.called?.[2]?.[1]).toBe(3)
  })

  test('get the index in the whole input where a selection left items out', async () => {
    const hook = await open(RECORD)
    await hook(settledRange({ ...valuesChunk(0, 2), indexes: [10, 20] }))
    expect(registry.called?.map(([, , index]) => index)).toEqual([10, 20])
  })

  test('of which only one is exported leave the other items alone', async () => {
    const hook = await open('export function errorCallback(error, index) { called.push(index) }')
    await hook(settledRange(valuesChunk(0, 3), { failed: [2] }))
    expect(registry.called).toEqual([2])
  })

  test('that return a promise are awaited before the next one is called', async () => {
    const hook = await open(`
      export async function callback(result, index) {
        called.push('start ' + index)
        await null
        await null
        called.push('end ' + index)
      }`)
    await hook(settledRange(valuesChunk(0, 2)))
    expect(registry.called).toEqual(['start 0', 'end 0', 'start 1', 'end 1'])
  })

  test('print to stderr, because stdout is for results', async () => {
    await open(RECORD)
    expect(process.stdout).toBe(process.stderr)
  })
})

describe('a callback that throws', () => {
  test('ends the calls with its item, its cause and the result', async () => {
    const hook = await open(`
      export function callback(result, index) {
        called.push(index)
        if (index === 1) throw new RangeError('no')
      }`)
    const settled = settledRange(valuesChunk(0, 3))
    const fault = await faultOf(hook(settled))
    expect(fault).toMatchObject({ settled, offset: 1, failure: undefined })
    expect(fault.error).toBeInstanceOf(CallbackError)
    expect(fault.error).toMatchObject({ result: 1, cause: expect.objectContaining({ message: 'no' }) })
    expect(fault.error.message).toBe('callback for item 1 threw; the task itself succeeded')
    expect(registry.called).toEqual([0, 1])
  })

  test.each(['undefined', 'null', '0', "''"])('%s ends the calls as any error does', async (thrown) => {
    const hook = await open(`export async function callback() { throw ${thrown} }`)
    const fault = await faultOf(hook(settledRange(valuesChunk(0, 1))))
    expect(Object.hasOwn(fault.error, 'cause')).toBe(true)
  })

  test('for a failed item keeps the task’s own error', async () => {
    const hook = await open('export function errorCallback(error) { throw error.message }')
    const settled = settledRange(valuesChunk(0, 1), { failed: [0] })
    const fault = await faultOf(hook(settled))
    expect(fault.failure).toBe(settled.failures[0])
    expect(fault.error.cause).toBe('boom')
    expect(fault.error.error).toMatchObject({ message: 'boom' })
    expect(fault.error.message).toBe('errorCallback for item 0 threw; the task itself had failed')
  })
})
