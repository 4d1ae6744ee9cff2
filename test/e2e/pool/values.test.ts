// Arguments and results of every type arrive unchanged.
import { on } from 'node:events'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { linkedList, selfCaused, wasmModule } from '../../helpers/undecodable.js'
import { errorOf, makePool, outputLog, range, sharedPool } from './helpers.js'

const log = outputLog()
process.env.LANG ??= 'C'
const shared = sharedPool({
  processes: 1,
  env: { GREETING: 'hello', LANG: undefined },
  onWorkerOutput: log.onWorkerOutput,
})

const cycle: { self?: unknown } = {}
cycle.self = cycle

const VALUES: readonly (readonly [unknown, string])[] = [
  [undefined, 'undefined'],
  [null, 'null'],
  [0, '0'],
  [-0, '-0'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  ['', "''"],
  [false, 'false'],
  [10n ** 30n, `${10n ** 30n}n`],
  [new Map([[{ a: 1 }, new Set([1])]]), 'Map(1) { { a: 1 } => Set(1) { 1 } }'],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [new Float64Array([1.5, -0]), 'Float64Array(2) [ 1.5, -0 ]'],
  [/a+/giu, '/a+/giu'],
  [cycle, '<ref *1> { self: [Circular *1] }'],
  [{ u: undefined }, '{ u: undefined }'],
  [JSON.parse('{"__proto__": 1}'), "{ ['__proto__']: 1 }"],
]

describe.for(VALUES)('%o', ([value, text]) => {
  test('arrives unchanged, and comes back unchanged', async () => {
    const { pool } = shared
    expect(await pool.apply('describe', [value])).toBe(text)
    expect(await pool.map('describe', [1, value])).toEqual(['1', text])
    const [back] = await pool.map('echo', [value])
    expect(back).toEqual(value)
    expect(Object.is(back, -0)).toBe(Object.is(value, -0))
  })
})

test('holes in a sparse array are items', async () => {
  expect(await shared.pool.map('describe', Array(3))).toEqual(['undefined', 'undefined', 'undefined'])
})

test('many objects of one shape arrive unchanged, and come back unchanged', async () => {
  const item = (n: number) => ({
    n,
    name: `item ${n}`,
    ratio: n / 7,
    isOdd: n % 2 === 1,
    zero: n === 3 ? -0 : null,
  })
  const items = Array.from({ length: 400 }, (_, n) => item(n))
  for (const input of [items, [...items, { other: 1 }]]) {
    const options = { chunkSize: input.length }
    const texts = await shared.pool.map('describe', input, options)
    expect(texts).toEqual(input.map((value) => inspect(value, { depth: 9 })))
    expect(await shared.pool.map('echo', input, options)).toStrictEqual(input)
  }
})

test('the same object as several items arrives as so many objects', async () => {
  for (const item of [{}, { a: 1 }])
    for (const length of [3, 200]) {
      const items = Array(length).fill(item)
      const touched = await shared.pool.map('touch', items, { chunkSize: length })
      expect(touched).toEqual(Array(length).fill(false))
    }
})

test('the same object in two calls arrives as two objects, and so does a result of two calls', async () => {
  const { pool } = shared
  const item = {}
  expect(await Promise.all([1, 2, 3, 4].map(() => pool.apply('touch', [item])))).toEqual(Array(4).fill(false))
  const bytes = Buffer.alloc(100_000)
  const results = (await Promise.all(
    [1, 2, 3, 4].map(() => pool.apply('increaseFirst', [bytes])),
  )) as number[]
  expect(results).toEqual([1, 1, 1, 1])
  const [first, ...others] = (await Promise.all(
    [1, 2, 3, 4].map(() => pool.apply('sameObject', [])),
  )) as object[]
  expect(others.some((other) => other === first)).toBe(false)
})

test('what changes after the call has been sent is not what the task gets', async () => {
  const bytes = Buffer.alloc(20_000_000, 1)
  const call = shared.pool.apply('lastByte', [bytes])
  await new Promise((resolve) => setImmediate(resolve))
  bytes.fill(2)
  expect(await call).toBe(1)
})

test('large arguments and results arrive complete', async () => {
  const large = new Uint8Array(5_000_000).fill(7)
  const [back] = (await shared.pool.map('echo', [large])) as [Uint8Array]
  expect(Buffer.compare(back, large)).toBe(0)
  expect((await shared.pool.map('bytes', [3_000_000, 3_000_000])).map(({ length }) => length)).toEqual([
    3_000_000, 3_000_000,
  ])
})

test('typed arrays arrive on buffers of their own size, as argument and as result', async () => {
  const bytes = new Uint8Array([1, 2, 3])
  const { pool } = shared
  expect(await pool.map('bufferSizes', [bytes, { a: [bytes] }, new Map([['k', bytes]])])).toEqual([3, 3, 3])
  expect(await pool.apply('bufferSizes', [bytes])).toBe(3)
  const [view, inside, { from }] = (await pool.map('echo', [
    bytes,
    { a: [bytes] },
    { from: Buffer.from('a') },
  ])) as [Uint8Array, { a: [Uint8Array] }, { from: Buffer }]
  expect([view.buffer.byteLength, inside.a[0].buffer.byteLength, from.buffer.byteLength]).toEqual([3, 3, 1])
})

test('large typed arrays arrive on buffers of their own size, with their type', async () => {
  const { pool } = shared
  const views = [Buffer.alloc(70_001, 1), new Float64Array(50_000), new DataView(new ArrayBuffer(300_000))]
  expect(await pool.map('bufferSizes', views, { chunkSize: 3 })).toEqual([70_001, 400_000, 300_000])
  const back = (await pool.map('echo', views, { chunkSize: 3 })) as ArrayBufferView[]
  expect(back.map(({ buffer }) => buffer.byteLength)).toEqual([70_001, 400_000, 300_000])
  expect(back.map((view) => view.constructor.name)).toEqual(['Buffer', 'Float64Array', 'DataView'])
  const part = Buffer.alloc(300_000, 1).subarray(100_000, 200_000)
  const [own] = (await pool.map('echo', [part])) as [Buffer]
  expect([own.buffer.byteLength, own.equals(part)]).toEqual([100_000, true])
})

test('typed arrays of a thrown error have buffers of their own size', async () => {
  const error = await errorOf(shared.pool.apply('throwBytes', []))
  expect((error as Error & { bytes: Uint8Array }).bytes.buffer.byteLength).toBe(3)
})

test('typed arrays of initArgs have buffers of their own size', async () => {
  const options = { processes: 1, initializer: 'rememberBuffer', initArgs: [new Uint8Array(3)] }
  expect(await makePool(options).apply('rememberedBuffer', [])).toBe(3)
})

test('onWorkerOutput that throws or rejects causes a warning', async () => {
  const outputs: Record<string, () => unknown> = {
    'threw: no': () => {
      throw new Error('no')
    },
    'rejected: later': async () => {
      throw new Error('later')
    },
    'rejected: [Object: null prototype] {}': () => Promise.reject(Object.create(null)),
  }
  const pool = makePool({
    processes: 1,
    onWorkerOutput: (line) => outputs[line.replace(/!$/, '')]?.() as undefined,
  })
  for (const text of Object.keys(outputs)) {
    // Each printed line causes a warning: one of the text before may come first.
    const warned = on(process, 'warning')
    await pool.apply('print', [text])
    for await (const [warning] of warned) if (String(warning).includes(`onWorkerOutput ${text}`)) break
  }
})

test('an iterator whose next() returns no object is a TypeError, as in for…of', async () => {
  for (const step of [5, undefined, null, 'x', Symbol('s')]) {
    const next = () => step as never
    const inputs = [{ [Symbol.iterator]: () => ({ next }) }, { [Symbol.asyncIterator]: () => ({ next }) }]
    for (const input of inputs) {
      const error = await errorOf(shared.pool.map('echo', input))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toBe(`iterator result ${String(step)} is not an object`)
    }
  }
})

test('a task receives its context: index, attempt and worker', async () => {
  expect(await shared.pool.map('context', ['a', 'b'])).toEqual([
    { index: 0, attempt: 1, workerId: 0 },
    { index: 1, attempt: 1, workerId: 0 },
  ])
  expect(await shared.pool.starmap('indexOfCall', [[1], [2], []])).toEqual([0, 1, 2])
  expect(await shared.pool.apply('count', [1, undefined, null])).toBe(3)
  expect(await shared.pool.apply('nothing')).toBe(undefined)
  expect(await shared.pool.apply('default', [4])).toBe(4)
})

test('starmap fails an item that is not an array with TypeError', async () => {
  const error = await errorOf(shared.pool.starmap('count', [[1], 'ab' as never]))
  expect(error).toBeInstanceOf(TypeError)
})

test('onWorkerOutput receives whole lines, with worker and stream', async () => {
  await shared.pool.apply('print', ['a line'])
  await Promise.all([log.received('a line'), log.received('a line!')])
  const pid = await shared.pool.apply('pid')
  expect(log.lines).toContainEqual({ line: 'a line', info: { workerId: 0, pid, stream: 'stdout' } })
  expect(log.lines).toContainEqual({ line: 'a line!', info: { workerId: 0, pid, stream: 'stderr' } })
})

test('env is added to the environment of this process; undefined removes a variable', async () => {
  const names = ['GREETING', 'PATH', 'LANG']
  expect(await shared.pool.map('environment', names)).toEqual(['hello', process.env.PATH, undefined])
  expect(await shared.pool.apply('nodeOptions')).toEqual([])
})

test('a map of 30,000 items has every result at its place', async () => {
  const items = range(30_000)
  expect(await shared.pool.map('square', items)).toEqual(items.map((n) => n * n))
})

describe('a value that structured clone writes and cannot read fails its own item', () => {
  const kinds = {
    'a long list': linkedList(2_500),
    'an error that is its own cause': selfCaused(),
    'a module': wasmModule(),
  }

  test.each(Object.entries(kinds))('as an argument: %s', async (_what, value) => {
    const { pool } = shared
    const failed: unknown[] = []
    const items = [1, value, { a: [value] }, 'x']
    const onFailure = (error: unknown, index: number) => failed.push([(error as Error).name, index])
    const types = []
    for (const chunkSize of [1, 4])
      for await (const type of pool.collect('typeOf', items, { chunkSize, onFailure })) types.push(type)
    expect(types).toEqual(['number', 'string', 'number', 'string'])
    const both = [1, 2].map((index) => ['ArgumentEncodingError', index])
    expect(failed).toEqual([...both, ...both])
    expect(await errorOf(pool.map('typeOf', [value, value]))).toMatchObject({
      name: 'ArgumentEncodingError',
      index: 0,
    })
    const calls = await Promise.allSettled([1, value, 2].map((item) => pool.apply('typeOf', [item])))
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  test.each(['linkedList', 'selfCaused', 'wasmModule'] as const)('as a result: %s', async (kind) => {
    const failed: unknown[] = []
    const onFailure = (error: unknown, index: number) => failed.push([(error as Error).name, index])
    const results = []
    for (const chunkSize of [1, 4])
      for await (const result of shared.pool.collect('unreadable', [1, kind, 3], { chunkSize, onFailure }))
        results.push(result)
    expect(results).toEqual([1, 3, 1, 3])
    expect(failed).toEqual([1, 1].map((index) => ['ResultEncodingError', index]))
  })

  test('as a result that changes while it is sent', async () => {
    const error = await errorOf(shared.pool.map('unreadable', ['changing', 'changing']))
    expect(error.name).toBe('ResultEncodingError')
    expect(await shared.pool.map('unreadable', [1])).toEqual([1])
  })

  test('as a result of a worker that exits before it is sent', async () => {
    const [first, second] = await Promise.allSettled(
      ['linkedList', 'exit'].map((kind) => shared.pool.apply('unreadable', [kind])),
    )
    expect(first).toMatchObject({ status: 'rejected', reason: { name: 'ResultEncodingError' } })
    expect(second).toMatchObject({ status: 'rejected', reason: { name: 'WorkerLostError' } })
  })

  test('as a property of what a task throws', async () => {
    const error = await errorOf(shared.pool.apply('throwUnreadable', []))
    expect(error).toMatchObject({
      message: 'with properties',
      list: expect.stringContaining('next'),
      fine: { a: 1 },
    })
  })
})

test('more than a message can carry fails its own item, as argument and as result', async () => {
  const bytes = 2 ** 31 + 1
  const { pool } = shared
  const failed: unknown[] = []
  const onFailure = (error: unknown, index: number) => {
    const { name, message } = error as Error
    failed.push([index, name, message])
  }
  const of = async (task: 'typeOf' | 'bytes', items: unknown[]) => {
    const results = []
    for await (const result of pool.collect(task, items as never[], { chunkSize: 3, onFailure }))
      results.push(typeof result)
    return results
  }
  expect(await of('typeOf', [1, new Uint8Array(bytes), 2])).toEqual(['string', 'string'])
  expect(await of('bytes', [1, bytes, 2])).toEqual(['object', 'object'])
  const most = 'it takes 2,147,483,649 bytes, and at most 2,146,435,072 can be sent'
  expect(failed).toEqual([
    [1, 'ArgumentEncodingError', `argument of item 1 cannot be sent: ${most}`],
    [1, 'ResultEncodingError', `result of item 1 cannot be sent: ${most}`],
  ])
})
