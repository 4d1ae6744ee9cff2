// Collects the chunks that a worker is given in one turn of the event loop and sends them in one message: a message costs
// more than a small chunk. Finds the values that make a message impossible to clone.
import { findUncloneable } from '../errors/capture/find-unserializable.js'
import type { ChunkMessage, ToWorker } from '../ipc/protocol.js'
import { TooLargeError } from '../ipc/values.js'
import type { Failure } from '../model.js'

export interface UnsendableItem {
  readonly offset: number
  readonly failure: Failure
}

interface ChunkSenderOptions {
  /** Throws if a value cannot be cloned or read, or if the message is too large. */
  readonly send: (worker: number, message: ToWorker) => void
  /** Nothing of this chunk was sent. Without `items`, they may be fine one by one. */
  readonly onUnsendable: (worker: number, id: number, items: readonly UnsendableItem[]) => void
}

/** Taken before `--callbacks` modules or a job can replace it. */
const nextTick = process.nextTick.bind(process)

export class ChunkSender {
  readonly #options: ChunkSenderOptions
  /** By worker. Not a map: a map whose entries come and go keeps the deleted ones alive (see policy/delivery-order). */
  readonly #outgoing: (ChunkMessage[] | undefined)[] = []
  #isFlushPlanned = false

  constructor(options: ChunkSenderOptions) {
    this.#options = options
  }

  add(worker: number, chunk: ChunkMessage): void {
    const chunks = this.#outgoing[worker]
    if (chunks === undefined) this.#outgoing[worker] = [chunk]
    else chunks.push(chunk)
  }

  flush(worker: number): void {
    const chunks = this.#outgoing[worker]
    if (chunks === undefined) return
    this.#outgoing[worker] = undefined
    this.#send(worker, chunks)
  }

  flushAll(): void {
    for (const worker of this.#outgoing.keys()) this.flush(worker)
  }

  /** After the callers that run in this turn of the event loop: more of them may open a call. */
  flushSoon(): void {
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    nextTick(() => {
      this.#isFlushPlanned = false
      this.flushAll()
    })
  }

  /** What the worker was given and was not sent: its process has exited. */
  discard(worker: number): void {
    this.#outgoing[worker] = undefined
  }

  discardAll(): void {
    this.#outgoing.length = 0
  }

  #send(worker: number, chunks: readonly ChunkMessage[]): void {
    try {
      this.#options.send(worker, { type: 'run', chunks })
    } catch (error) {
      const [first, ...others] = chunks
      if (others.length === 0) this.#options.onUnsendable(worker, first!.id, unsendableItems(first!, error))
      // Nothing was sent. Each on its own, the good chunks can be.
      else for (const chunk of chunks) this.#send(worker, [chunk])
    }
  }
}

/** At least one if the chunk is a single item: otherwise it would be dispatched again and again. */
function unsendableItems({ payload, count }: ChunkMessage, thrown: unknown): UnsendableItem[] {
  const isSearched = payload.kind === 'values' && !(thrown instanceof TooLargeError)
  const values = isSearched ? payload.values : []
  const found = values.flatMap((value, offset) => {
    const uncloneable = findUncloneable(value)
    return uncloneable === undefined
      ? []
      : [{ offset, failure: { kind: 'encoding', side: 'argument', ...uncloneable } as const }]
  })
  if (found.length > 0 || count > 1) return found
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return [{ offset: 0, failure: { kind: 'encoding', side: 'argument', path: '', message, preview: '' } }]
}
