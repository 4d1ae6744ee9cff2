// The two ends of a call: an input that stalls, tears and ends, and a reader that stalls or leaves.
import type { Writable } from 'node:stream'
import type { Chunk } from '../../src/model.js'
import type { ByteReader } from '../../src/read/byte-reader.js'
import type { ChunkSource, Want } from '../../src/source.js'
import type { Random } from '../helpers/random.js'
import { type CallWitness, violated } from './call-witness.js'
import type { DiskFile } from './disk.js'
import type { VirtualTime } from './virtual-time.js'

export class TornError extends Error {}

interface Surroundings {
  readonly time: VirtualTime
  readonly random: Random
}

/** Values of an iterable. An item that cannot be sent is a function. */
export class ValueSource implements ChunkSource {
  readonly #call: CallWitness
  readonly #surroundings: Surroundings
  #taken = 0
  #isClosed = false
  readonly remaining?: () => number

  constructor(call: CallWitness, surroundings: Surroundings) {
    this.#call = call
    this.#surroundings = surroundings
    if (call.plan.input.isSized) this.remaining = () => call.plan.items - this.#taken
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    const { random, time } = this.#surroundings
    const { stalls, stallMs } = this.#call.plan.input
    if (!random.chance(stalls)) return this.#take(want)
    return new Promise((resolve, reject) => {
      time.after(random.next() * stallMs, 'an input continues', () => {
        try {
          resolve(this.#take(want))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  close(): void {
    this.#isClosed = true
  }

  #take({ items }: Want): Chunk | undefined {
    const { plan } = this.#call
    const { tearsAt = Number.POSITIVE_INFINITY } = plan.input
    if (this.#isClosed) return undefined
    const seq = this.#taken
    const count = Math.min(items, plan.items - seq, tearsAt - seq)
    if (count <= 0 && seq >= tearsAt) throw new TornError('the input is torn')
    if (count <= 0) return undefined
    this.#taken += count
    const values = Array.from({ length: count }, (_, i) =>
      plan.unsendable.has(seq + i) ? () => {} : seq + i,
    )
    return { seq, count, payload: { kind: 'values', values } }
  }
}

/** One number per line. */
export class LineReader implements ByteReader {
  readonly #call: CallWitness
  readonly #surroundings: Surroundings
  readonly #text: Buffer
  #at = 0
  #isClosed = false
  #wake: ((count: number) => void) | undefined

  constructor(call: CallWitness, surroundings: Surroundings) {
    this.#call = call
    this.#surroundings = surroundings
    const { items, input } = call.plan
    let text = ''
    for (let index = 0; index < Math.min(items, input.tearsAt ?? items); index++)
      text += `${index % input.different}\n`
    const isWhole = input.tearsAt !== undefined || input.endsLine
    this.#text = Buffer.from(isWhole ? text : text.slice(0, -1), 'latin1')
  }

  get ended(): boolean {
    return this.#isClosed || (this.#call.plan.input.tearsAt === undefined && this.#at === this.#text.length)
  }

  read(into: Buffer): Promise<number> {
    const { random, time } = this.#surroundings
    const { stalls, stallMs, tearsAt } = this.#call.plan.input
    return new Promise((resolve, reject) => {
      const give = () => {
        this.#wake = undefined
        if (this.#isClosed) return resolve(0)
        const left = this.#text.length - this.#at
        if (left === 0 && tearsAt !== undefined) return reject(new TornError('the input is torn'))
        const most = Math.min(left, into.length)
        const count = stalls > 0 && most > 1 ? random.int(1, most) : most
        this.#text.copy(into, 0, this.#at, this.#at + count)
        this.#at += count
        resolve(count)
      }
      if (!random.chance(stalls)) return give()
      this.#wake = resolve
      time.after(random.next() * stallMs, 'an input continues', give)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#wake?.(0)
  }
}

/** Counts what is taken, and checks that the flow window had room for it. */
export function watched(source: ChunkSource, call: CallWitness): ChunkSource {
  const { windowItems, windowBytes } = call.plan
  const taken = (chunk: Chunk | undefined): Chunk | undefined => {
    call.isPulling = false
    if (chunk === undefined) call.sourceEnded = true
    else if (chunk.seq !== call.taken)
      violated(`call ${call.id} takes item ${chunk.seq} after ${call.taken} items`)
    else call.taken += chunk.count
    // Behind its end, ranges are delivered without this count.
    if (!call.isEnding && call.taken - call.received > windowItems)
      violated(`call ${call.id} has ${call.taken - call.received} items in a window of ${windowItems}`)
    return chunk
  }
  const failed = (error: unknown): never => {
    call.isPulling = false
    call.sourceEnded = true
    throw error
  }
  return {
    next(want) {
      if (call.isPulling) violated(`the source of call ${call.id} is pulled twice at a time`)
      if (!call.isEnding && call.heldBytes >= windowBytes)
        violated(`call ${call.id} holds ${call.heldBytes} bytes and takes more`)
      call.isPulling = true
      try {
        const next = source.next(want)
        return next instanceof Promise ? next.then(taken, failed) : taken(next)
      } catch (error) {
        return failed(error)
      }
    },
    close: () => source.close(),
    ...(source.remaining !== undefined && { remaining: () => source.remaining!() }),
  }
}

function errorWith(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** What results are written to: a pipe with a reader, or a file. */
export class SimulatedStream {
  readonly #call: CallWitness
  readonly #surroundings: Surroundings
  readonly #file: DiskFile | undefined
  readonly #waiting: { readonly bytes: Uint8Array; readonly done: (error?: Error) => void }[] = []
  #onError: (error: Error) => void = () => {}
  #isWriting = false
  #written = 0
  #hasFailed = false

  constructor(call: CallWitness, surroundings: Surroundings, file: DiskFile | undefined) {
    this.#call = call
    this.#surroundings = surroundings
    this.#file = file
  }

  /** As much of a stream as `Output` uses. */
  get writable(): Writable {
    return this as unknown as Writable
  }

  on(event: string, listener: (error: Error) => void): this {
    if (event === 'error') this.#onError = listener
    return this
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): boolean {
    this.#waiting.push({ bytes, done })
    this.#writeNext()
    return true
  }

  #writeNext(): void {
    const next = this.#waiting[0]
    if (next === undefined || this.#isWriting) return
    const { random, time } = this.#surroundings
    const { stalls, stallMs } = this.#call.plan.reader
    this.#isWriting = true
    const finish = () => {
      this.#isWriting = false
      this.#waiting.shift()
      const error = this.#take(next.bytes)
      next.done(error)
      if (error !== undefined) this.#onError(error)
      this.#writeNext()
    }
    if (random.chance(stalls)) time.after(random.next() * stallMs, 'a reader continues', finish)
    else time.soon(finish)
  }

  #take(bytes: Uint8Array): Error | undefined {
    if (this.#hasFailed) return errorWith('EPIPE')
    const { leavesAfter = Number.POSITIVE_INFINITY } = this.#call.plan.reader
    const count = Math.min(bytes.length, leavesAfter - this.#written)
    try {
      if (this.#file === undefined) this.#call.writes(bytes.subarray(0, count))
      else this.#writeFile(this.#file, bytes.subarray(0, count))
    } catch (error) {
      this.#hasFailed = true
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      return error as Error
    }
    this.#written += count
    if (count === bytes.length) return undefined
    this.#hasFailed = true
    return errorWith('EPIPE')
  }

  #writeFile(file: DiskFile, bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const count = file.append(rest)
      this.#call.writes(rest.subarray(0, count))
      rest = rest.subarray(count)
    }
    if (this.#surroundings.random.chance(0.2)) file.sync()
  }
}
