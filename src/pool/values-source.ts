// Items from whatever a caller can iterate, as chunks of values. Reads only on demand, one item at a time, and hands on
// what has come when an asynchronous input pauses. Knows nothing of windows, workers or policies.
import { deserialize, serialize } from 'node:v8'
import type { Chunk } from '../model.js'
import type { ChunkSource, Want } from '../source.js'
import { SizeEstimate, SMALL_BYTES } from './size-estimate.js'
import type { Input } from './types.js'

export interface ValuesSource extends ChunkSource {
  /** Reads no further: gives what it has, then ends. */
  end(): void
  /** Rejects with what the input's own `return` threw. Never waits for an input that is stuck. */
  close(): Promise<void>
  /** The input has ended, or is not read any more. */
  readonly over: boolean
  /** Estimate of an item's bytes, `undefined` before the first. */
  readonly meanBytes: number | undefined
}

export function valuesSource(input: Input<unknown>): ValuesSource {
  return isAsync(input) ? new AsyncSource(input) : new SyncSource(input)
}

export function isAsync(input: Input<unknown>): input is AsyncIterable<unknown> {
  return typeof (input as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
}

/** True of what holds all its items already, so that nothing more has to be read to have them. */
export function isCollection(input: Input<unknown>): boolean {
  return (
    Array.isArray(input) ||
    typeof input === 'string' ||
    input instanceof Set ||
    input instanceof Map ||
    ArrayBuffer.isView(input)
  )
}

const arrayIterator = Array.prototype[Symbol.iterator]

function isPlainArray(input: Iterable<unknown>): input is readonly unknown[] {
  return Array.isArray(input) && input[Symbol.iterator] === arrayIterator
}

/** A thrown thing in a box: anything may be thrown, `undefined` too. */
interface Thrown {
  readonly error: unknown
}

interface Demand {
  readonly batch: Batch
  readonly resolve: (chunk: Chunk | undefined) => void
  readonly reject: (error: unknown) => void
}

/** The items of one chunk while they are gathered. */
class Batch {
  readonly values: unknown[] = []
  readonly #want: Want
  readonly #sizes: SizeEstimate
  /** Objects among them: made for the first, which a chunk of numbers never has. */
  #seen: Set<object> | undefined
  #bytes = 0
  #numbers = 0

  constructor(want: Want, sizes: SizeEstimate) {
    this.#want = want
    this.#sizes = sizes
  }

  get full(): boolean {
    return this.values.length >= this.#want.items || this.#bytes >= this.#want.bytes
  }

  add(value: unknown): void {
    if (typeof value === 'number') {
      // Each is as large as the other: measured together, below.
      this.#numbers++
      this.#bytes += SMALL_BYTES
      this.values.push(value)
      return
    }
    this.#bytes += this.#sizes.of(value)
    this.values.push(this.#unshared(value))
  }

  /** Nothing more comes. */
  end(): readonly unknown[] {
    if (this.#numbers > 0) this.#sizes.addSmall(this.#numbers)
    return this.values
  }

  /** Structured clone keeps identity within a message: without a copy, one item's task could change another's item. */
  #unshared(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    this.#seen ??= new Set()
    if (!this.#seen.has(value)) {
      this.#seen.add(value)
      return value
    }
    try {
      return deserialize(serialize(value))
    } catch {
      return value
    }
  }
}

class Sequence {
  readonly #sizes = new SizeEstimate()
  #seq = 0

  get taken(): number {
    return this.#seq
  }

  get meanBytes(): number | undefined {
    return this.#sizes.mean
  }

  batch(want: Want): Batch {
    return new Batch(want, this.#sizes)
  }

  chunk(batch: Batch): Chunk {
    const values = batch.end()
    const seq = this.#seq
    this.#seq += values.length
    return { seq, count: values.length, payload: { kind: 'values', values } }
  }
}

class SyncSource implements ValuesSource {
  readonly #input: Iterable<unknown>
  readonly #sequence = new Sequence()
  #iterator: Iterator<unknown> | undefined
  #over = false
  #fault: Thrown | undefined
  #reading = false
  #closing: Promise<void> | undefined

  constructor(input: Iterable<unknown>) {
    this.#input = input
  }

  get meanBytes() {
    return this.#sequence.meanBytes
  }

  get over() {
    return this.#over
  }

  /** A hint for the size of chunks, of real arrays only; when the input ends is for its iterator to say. */
  remaining() {
    return Array.isArray(this.#input) ? Math.max(0, this.#input.length - this.#sequence.taken) : undefined
  }

  next(want: Want): Chunk | undefined {
    const batch = this.#sequence.batch(want)
    this.#reading = true
    try {
      if (!this.#over && isPlainArray(this.#input)) this.#readArray(this.#input, batch)
      else this.#readOn(batch)
    } catch (error) {
      this.#over = true
      this.#fault = { error }
    } finally {
      this.#reading = false
    }
    if (batch.values.length > 0) return this.#sequence.chunk(batch)
    if (this.#fault === undefined) return undefined
    const { error } = this.#fault
    this.#fault = undefined
    throw error
  }

  #readOn(batch: Batch): void {
    while (!this.#over && !batch.full) {
      this.#iterator ??= this.#input[Symbol.iterator]()
      const step = this.#iterator.next()
      if (step.done) this.#over = true
      else batch.add(step.value)
    }
  }

  /** What its iterator would give, which looks at the length before each step as this does, in less time. */
  #readArray(input: readonly unknown[], batch: Batch): void {
    let place = this.#sequence.taken
    while (place < input.length && !batch.full) batch.add(input[place++])
    this.#over = place >= input.length && !batch.full
  }

  end(): void {
    void this.close().catch(() => {})
  }

  close(): Promise<void> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  async #release(): Promise<void> {
    if (this.#over) return
    this.#over = true
    // Closed from within the input's own code: a generator that is running cannot be returned.
    while (this.#reading) await undefined
    this.#iterator?.return?.()
  }
}

class AsyncSource implements ValuesSource {
  readonly #input: AsyncIterable<unknown>
  readonly #sequence = new Sequence()
  #iterator: AsyncIterator<unknown> | undefined
  #over = false
  #fault: Thrown | undefined
  #demand: Demand | undefined
  /** Asked for and not yet here: it may come after the batch it was asked for has gone. */
  #onItsWay = false
  #early: { readonly value: unknown } | undefined
  #closing: Promise<void> | undefined

  constructor(input: AsyncIterable<unknown>) {
    this.#input = input
  }

  get meanBytes() {
    return this.#sequence.meanBytes
  }

  get over() {
    return this.#over
  }

  next(want: Want): Promise<Chunk | undefined> {
    return new Promise((resolve, reject) => {
      const batch = this.#sequence.batch(want)
      this.#demand = { batch, resolve, reject }
      if (this.#early !== undefined) {
        const { value } = this.#early
        this.#early = undefined
        this.#gather(value)
      } else this.#advance()
    })
  }

  #gather(value: unknown): void {
    const demand = this.#demand
    if (demand === undefined) {
      this.#early = { value }
      return
    }
    demand.batch.add(value)
    // What comes within this turn of the event loop travels together; what comes later does not hold this up.
    if (demand.batch.values.length === 1)
      setImmediate(() => {
        if (this.#demand === demand) this.#deliver()
      })
    this.#advance()
  }

  #advance(): void {
    if (this.#over || this.#demand?.batch.full) return this.#deliver()
    if (this.#onItsWay) return
    this.#onItsWay = true
    this.#step().then(
      (step) => {
        this.#onItsWay = false
        if (this.#over) return
        if (!step.done) return this.#gather(step.value)
        this.#over = true
        this.#deliver()
      },
      (error: unknown) => {
        this.#onItsWay = false
        if (this.#over) return
        this.#over = true
        this.#fault = { error }
        this.#deliver()
      },
    )
  }

  async #step(): Promise<{ readonly done: boolean; readonly value: unknown }> {
    this.#iterator ??= this.#input[Symbol.asyncIterator]()
    const { done = false, value } = await this.#iterator.next()
    return { done, value }
  }

  #deliver(): void {
    const demand = this.#demand
    if (demand === undefined) return
    this.#demand = undefined
    const { batch, resolve, reject } = demand
    if (batch.values.length > 0) return resolve(this.#sequence.chunk(batch))
    if (this.#fault === undefined) return resolve(undefined)
    const { error } = this.#fault
    this.#fault = undefined
    reject(error)
  }

  end(): void {
    void this.close().catch(() => {})
  }

  close(): Promise<void> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  async #release(): Promise<void> {
    const wasOver = this.#over
    const stuck = this.#onItsWay
    this.#over = true
    this.#deliver()
    if (wasOver) return
    const returned = this.#return()
    // A generator that awaits something answers only after that, which may never come.
    if (stuck) returned.catch(() => {})
    else await returned
  }

  async #return(): Promise<void> {
    await this.#iterator?.return?.()
  }
}
