// Which options and arguments are refused, with which error and message.
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  checkArguments,
  checkInput,
  checkJob,
  checkOptions,
  checkTask,
  checkWait,
} from '../../../src/pool/check-options.js'
import { thrownBy } from '../../helpers/errors.js'
import {
  isReadable,
  linkedList,
  longestReadableList,
  selfCaused,
  wasmModule,
} from '../../helpers/undecodable.js'

const throwingGetter = () => ({
  get a() {
    throw new Error('no')
  },
})

function nestedArray(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

describe('checkOptions of a pool', () => {
  test.for([
    [{ process: 2 }, TypeError, 'unknown option process; did you mean processes?'],
    [{ chunkSize: 2 }, TypeError, 'unknown option chunkSize; there are processes, initializer,'],
    [{ initializer: '' }, TypeError, 'initializer must be'],
    [{ concurrency: 0 }, RangeError, 'concurrency must be at least 1, not 0'],
    [{ retries: -1 }, RangeError, 'retries must be at least 0'],
    [{ retries: 0.5 }, TypeError, 'retries must be an integer'],
    [{ retryDelay: -1 }, RangeError, 'retryDelay must be 0 or more ms'],
    [{ retryOn: 'crash' }, TypeError, "retryOn must be an array, not 'crash'"],
    [{ retryOn: ['crash', 'oops'] }, TypeError, "not 'oops'"],
    [{ retryOn: [undefined] }, TypeError, 'not undefined'],
    [{ timeout: 0 }, RangeError, 'timeout must be more than 0 ms'],
    [{ timeout: '2s' }, TypeError, "timeout must be a number of milliseconds, not '2s'"],
    [{ timeout: Number.NaN }, TypeError, 'timeout must be'],
    [{ initTimeout: 2 ** 31 }, RangeError, 'initTimeout must be at most'],
    [{ initTimeout: Number.POSITIVE_INFINITY }, RangeError, 'initTimeout must be at most'],
    [{ killAfter: -1 }, RangeError, 'killAfter must be 0 or more ms'],
    [{ maxWorkerRestarts: Number.NEGATIVE_INFINITY }, TypeError, 'maxWorkerRestarts must be an integer'],
    [{ maxWorkerRestarts: -1 }, RangeError, 'maxWorkerRestarts must be at least 0'],
    [{ maxMemory: 0 }, RangeError, 'maxMemory must be at least 1'],
    [{ env: { A: 1 } }, TypeError, 'env must be'],
    [{ env: { A: null } }, TypeError, 'env must be'],
    [{ env: { A: 'a\0b' } }, TypeError, 'env must be'],
    [{ env: { 'A\0': 'a' } }, TypeError, 'env must be'],
    [{ execArgv: '--inspect' }, TypeError, 'execArgv must be an array of strings without NUL'],
    [{ execArgv: ['--title=a\0b'] }, TypeError, 'execArgv must be an array of strings without NUL'],
    [{ onWorkerOutput: true }, TypeError, 'onWorkerOutput must be a function'],
    ['fast', TypeError, 'options must be an object'],
    [null, TypeError, 'options must be an object'],
  ] as const)('refuses %o', ([options, Kind, message]) => {
    const error = thrownBy(() => checkOptions('pool', options as never))
    expect(error).toBeInstanceOf(Kind)
    expect(error.message).toContain(message)
  })

  test.for([
    ['a string', 'eu', 'initArgs must be an array'],
    ['a function', [() => 1], 'initArgs cannot be sent to a worker: initArgs[0] is [Function'],
    ['a function inside', [1, { a: { f() {} } }], 'initArgs[1].a.f is [Function'],
    ['a symbol', [Symbol('a')], 'initArgs[0] is Symbol(a)'],
    ['a promise', [Promise.resolve()], 'initArgs[0] is Promise'],
    ['a getter that throws', [throwingGetter()], 'initArgs[0].a is unreadable (no)'],
    ['compiled code', [wasmModule()], `initArgs[0] is ${inspect(wasmModule())}`],
    ['a linked list of 2,500 nodes', [linkedList(2500)], 'Maximum call stack size exceeded'],
    ['100,000 levels of arrays', [nestedArray(100_000)], 'Maximum call stack size exceeded'],
  ] as const)('refuses initArgs that hold %s, with a TypeError', ([, value, message]) => {
    const error = thrownBy(() => checkOptions('pool', { initArgs: value } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(message)
  })

  test('accepts env with values that are undefined, as process.env may have by its type', () => {
    const env = { ...process.env, PATH: undefined }
    expect(checkOptions('pool', { env })).toEqual({ env })
  })

  test('refuses initArgs that a stack a little smaller could not read', () => {
    const initArgs = [linkedList(longestReadableList() - 50)]
    expect(() => checkOptions('pool', { initArgs } as never)).toThrow('Maximum call stack size exceeded')
  })

  test('accepts initArgs that hold an error that is its own cause exactly where Node can read it', () => {
    const initArgs = [selfCaused()]
    const check = () => checkOptions('pool', { initArgs } as never)
    if (isReadable(initArgs)) expect(check()).toEqual({ initArgs })
    else expect(check).toThrow('initArgs[0].cause is [Error: its own cause]')
  })

  test('accepts initArgs that structured clone carries', () => {
    const self: unknown[] = [new Map([[1, new Set([2n])]]), new Date(0), new Uint8Array(3), undefined]
    self.push(self, linkedList(1000))
    expect(checkOptions('pool', { initArgs: self })).toEqual({ initArgs: self })
  })

  test('takes undefined as the default of every option', () => {
    const options = { processes: undefined, timeout: undefined }
    expect(checkOptions('pool', options)).toEqual({})
    expect(checkOptions('pool', undefined)).toEqual({})
  })

  test('accepts Infinity for timeout and 0 for killAfter', () => {
    const options = { timeout: Number.POSITIVE_INFINITY, killAfter: 0 }
    expect(checkOptions('pool', options)).toBe(options)
  })
})

describe('checkOptions of a call', () => {
  test.for([
    ['map', { chunksize: 2 }, TypeError, 'did you mean chunkSize?'],
    ['map', { signal: {} }, TypeError, 'signal must be an AbortSignal'],
    ['map', { callback: () => {} }, TypeError, 'unknown option callback'],
    ['map', { bufferSize: 2 }, TypeError, 'unknown option bufferSize'],
    ['map', { timeout: '1' }, TypeError, 'timeout must be'],
    ['map', { chunkSize: 0 }, RangeError, 'chunkSize must be at least 1, not 0'],
    ['map', { chunkSize: 1.5 }, TypeError, 'chunkSize must be an integer, not 1.5'],
    ['apply', { chunkSize: 1 }, TypeError, 'unknown option chunkSize'],
    ['applyAsync', { errorCallback: null }, TypeError, 'errorCallback must be a function, not null'],
    ['mapAsync', { callback: 1 }, TypeError, 'callback must be a function, not 1'],
    ['iterate', { bufferSize: 0 }, RangeError, 'bufferSize must be at least 1'],
    ['collect', { onFailure: 1 }, TypeError, 'onFailure must be a function'],
    ['collect', { unordered: 1 }, TypeError, 'unordered must be a boolean'],
    ['next', { timeout: -1 }, RangeError, 'timeout must be 0 or more ms, not -1'],
  ] as const)('refuses %s %o', ([method, options, Kind, message]) => {
    const error = thrownBy(() => checkOptions(method, options))
    expect(error).toBeInstanceOf(Kind)
    expect(error.message).toContain(message)
  })
})

describe('checkWait', () => {
  test('accepts 0 and takes undefined and Infinity as no limit', () => {
    expect(checkWait(0)).toBe(0)
    expect(checkWait(undefined)).toBeUndefined()
    expect(checkWait(Number.POSITIVE_INFINITY)).toBeUndefined()
  })

  test.for([
    [-1, RangeError],
    [2 ** 31, RangeError],
    [Number.NaN, TypeError],
    ['1', TypeError],
  ] as const)('refuses %o', ([timeout, Kind]) => {
    expect(thrownBy(() => checkWait(timeout as number))).toBeInstanceOf(Kind)
  })
})

describe('arguments', () => {
  test.for([undefined, null, 5, '', () => {}])('checkTask refuses %o', (name) => {
    const error = thrownBy(() => checkTask(name))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('named by its export')
  })

  test.for([5, 'ab', { length: 1 }, null])('checkArguments refuses %o', (args) => {
    expect(thrownBy(() => checkArguments(args))).toBeInstanceOf(TypeError)
  })

  test.for([5, null, undefined, {}, () => {}])('checkInput refuses %o', (input) => {
    expect(thrownBy(() => checkInput(input))).toBeInstanceOf(TypeError)
  })

  test.for([[[]], ['text'], [new Set()], [(async function* () {})()]])('checkInput accepts %o', ([input]) => {
    expect(() => checkInput(input)).not.toThrow()
  })

  test.for([undefined, null, 5, '', () => {}])('checkJob refuses %o', (job) => {
    expect(thrownBy(() => checkJob(job))).toBeInstanceOf(TypeError)
  })
})
