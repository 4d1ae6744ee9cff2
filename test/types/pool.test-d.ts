// Argument and result types that a pool infers from its job module. Checked by tsc; nothing here is run.
import { expectTypeOf } from 'vitest'
import { type AsyncResult, Pool, type PoolIterator, type TaskContext } from '../../src/index.js'

interface Job {
  default(item: { src: string }): Promise<{ width: number }>
  square(n: number): number
  withContext(name: string, context: TaskContext): string
  mul(a: number, b: number): Promise<bigint>
  optional(a?: number): void
  sum(...numbers: number[]): number
  tick(): Date
  lines(file: string): Generator<string>
  pages(url: string): AsyncGenerator<{ page: number }>
  initializer(dictionary: string): void
  finalizer(): void
  input: { '~standard': unknown }
  VERSION: string
}

declare const pool: Pool<Job>

expectTypeOf(pool.apply('square', [3])).toEqualTypeOf<Promise<number>>()
expectTypeOf(pool.apply('mul', [2, 3])).toEqualTypeOf<Promise<bigint>>()
expectTypeOf(pool.apply('tick')).toEqualTypeOf<Promise<Date>>()
expectTypeOf(pool.apply('optional')).toEqualTypeOf<Promise<void>>()
expectTypeOf(pool.apply('default', [{ src: 'a' }], { timeout: 5 })).toEqualTypeOf<
  Promise<{ width: number }>
>()
expectTypeOf(pool.applyAsync('square', [3])).toEqualTypeOf<AsyncResult<number>>()
expectTypeOf<Awaited<AsyncResult<number>>>().toEqualTypeOf<number>()
expectTypeOf(pool.map('square', [1])).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(pool.map('square', new Set([1]))).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(pool.map('withContext', ['a'])).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(pool.map('tick', [1, 'anything'])).toEqualTypeOf<Promise<Date[]>>()
expectTypeOf(pool.starmap('mul', [[2, 3]])).toEqualTypeOf<Promise<bigint[]>>()
expectTypeOf(pool.starmap('sum', [[], [1], [1, 2]])).toEqualTypeOf<Promise<number[]>>()
expectTypeOf(pool.imap('square', [1])).toEqualTypeOf<PoolIterator<number>>()
pool.map('square', (async function* () { yield 1 })()) // biome-ignore format: one line
pool.mapAsync('square', [1], { callback: (all) => expectTypeOf(all).toEqualTypeOf<number[]>() })
pool.collect('default', [{ src: 'a' }], {
  onFailure(error, index, item) {
    expectTypeOf(error).toEqualTypeOf<unknown>()
    expectTypeOf(index).toEqualTypeOf<number>()
    expectTypeOf(item).toEqualTypeOf<{ src: string }>()
  },
})

// @ts-expect-error the module has no such task
pool.apply('cube', [3])
// @ts-expect-error an export that is not a function
pool.apply('VERSION')
// @ts-expect-error an export that poolrun itself uses
pool.apply('initializer', ['a'])
// @ts-expect-error a string is not a number
pool.apply('square', ['3'])
// @ts-expect-error an argument is missing
pool.apply('square')
// @ts-expect-error items of the wrong type
pool.map('square', ['1'])
// @ts-expect-error its second parameter would receive the context
pool.map('mul', [1])
// @ts-expect-error an argument is missing in the tuple
pool.starmap('mul', [[1]])
// @ts-expect-error not iterable
pool.map('square', 5)
// @ts-expect-error no such option
pool.map('square', [1], { chunksize: 2 })
// @ts-expect-error not an option of map
pool.map('square', [1], { bufferSize: 2 })
new Pool('./job.js', { env: { ...process.env, GREETING: undefined } })
// @ts-expect-error a duration is a number
new Pool('./job.js', { timeout: '2s' })

const untyped = new Pool('./job.js')
expectTypeOf(untyped.apply('anything', [1, 'a'])).toEqualTypeOf<Promise<unknown>>()
expectTypeOf(untyped.map('anything', [1, 'a'])).toEqualTypeOf<Promise<unknown[]>>()
expectTypeOf(
  new Pool<typeof import('../e2e/pool/fixtures/job.js')>('./job.js').apply('mul', [2, 3]),
).toEqualTypeOf<Promise<number>>()

expectTypeOf(pool.apply('lines', ['a'])).toEqualTypeOf<Promise<string[]>>()
expectTypeOf(pool.map('pages', ['a'])).toEqualTypeOf<Promise<{ page: number }[][]>>()
