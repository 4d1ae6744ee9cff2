// Results on their way to the parent: what is ready to be sent, and when to send it.
import type { Clock } from '../clock.js'
import { CHUNK_BYTES } from '../defaults.js'
import type { FlightRecorder } from '../ipc/flight-recorder/writer.js'
import type { ResultsMessage } from '../ipc/protocol.js'
import { TooLargeError } from '../ipc/values.js'
import type { Ms } from '../model.js'
import type { LineMemory } from './line-memory.js'
import { failedToSend, halvesOf, withoutUncloneable } from './results.js'

/** Results are sent at least this often, so that a slow item does not hold back the ones before it. */
const FLUSH_AFTER_MS: Ms = 10
/** Chunks that end within this time of the last message share the next one. */
const SHARE_MESSAGE_MS: Ms = 1
/**
 * With this much text gathered, it is sent before the next item starts: a crash must not lose it. More than a chunk of
 * input, so that results of about its size leave in one message.
 */
const FLUSH_AT_CHARACTERS = CHUNK_BYTES + 8 * 1024

/** A chunk whose results are sent. */
export interface SendingChunk {
  /** Items that have settled and have not been sent. */
  readonly unsentItems: number
  /** Takes their results; `undefined` where there are none. */
  takeMessage(now: Ms): ResultsMessage | undefined
}

interface OutboxOptions {
  /** Throws if a value cannot be sent, or if all of them are too large; its promise resolves when the message has left this process. */
  readonly send: (messages: readonly ResultsMessage[]) => Promise<void>
  readonly recorder: FlightRecorder | undefined
  readonly clock: Clock
  /** For the lines of results, where `send` has copied all bytes of its messages when it returns. */
  readonly memory?: LineMemory | undefined
}

export class Outbox {
  readonly memory: LineMemory | undefined
  readonly #send: OutboxOptions['send']
  readonly #recorder: FlightRecorder | undefined
  readonly #clock: Clock
  readonly #open = new Set<SendingChunk>()
  #ended: SendingChunk[] = []
  #unsentItems = 0
  #characters = 0
  /** A result is in memory and nowhere else. */
  #mustFlush = false
  #flushedAt: Ms
  #flushIsPlanned = false

  constructor({ send, recorder, clock, memory }: OutboxOptions) {
    this.memory = memory
    this.#send = send
    this.#recorder = recorder
    this.#clock = clock
    this.#flushedAt = clock.now()
  }

  /** The chunk starts: what settles of it is sent from now on. */
  open(chunk: SendingChunk): void {
    this.#open.add(chunk)
  }

  /** The chunk has ended: the rest of its results is part of the next message. */
  close(chunk: SendingChunk): void {
    this.#open.delete(chunk)
    if (chunk.unsentItems > 0) this.#ended.push(chunk)
  }

  /** The chunk was cancelled: its unsent results are dropped. */
  discard(chunk: SendingChunk): void {
    this.#open.delete(chunk)
    this.#unsentItems -= chunk.unsentItems
  }

  /** An item of an open chunk has settled. `isSafe`: a crash before the next message does not lose its outcome. */
  itemSettled(characters: number, isSafe: boolean): void {
    this.#unsentItems++
    this.#characters += characters
    if (!isSafe) this.#mustFlush = true
  }

  flushBeforeNextItem(): void {
    this.#mustFlush = true
  }

  get isEmpty(): boolean {
    return this.#unsentItems === 0
  }

  /** The next item must wait until everything has left this process. */
  get isFull(): boolean {
    return this.#mustFlush || this.hasMuchText
  }

  get hasMuchText(): boolean {
    return this.#characters >= FLUSH_AT_CHARACTERS
  }

  /** A result of this length would fill it. */
  wouldBeFull(characters: number): boolean {
    return this.#characters + characters >= FLUSH_AT_CHARACTERS
  }

  /** Between two items, `now` being the end of one that was timed. */
  isFlushDue(now: Ms): boolean {
    return this.isFull || now - this.#flushedAt > FLUSH_AFTER_MS
  }

  /** The chunk that ends now and the next one can share a message. */
  get mayWaitForNextChunk(): boolean {
    return !this.isFull && this.#clock.now() - this.#flushedAt <= SHARE_MESSAGE_MS
  }

  /** Sends what is there now even if nothing else settles. */
  flushLater(): void {
    if (this.isEmpty || this.#flushIsPlanned) return
    this.#flushIsPlanned = true
    this.#clock.wakeAt(this.#clock.now() + FLUSH_AFTER_MS, () => {
      this.#flushIsPlanned = false
      void this.flush()
    })
  }

  /** Sends everything that has settled. Resolves when it has left this process. */
  flush(): Promise<void> {
    const now = this.#clock.now()
    this.#flushedAt = now
    if (this.isEmpty) return Promise.resolve()
    const messages = this.#takeMessages(now)
    const mark = this.#recorder?.mark
    const sent = this.#trySend(messages)
    this.memory?.reset()
    return sent.then(() => {
      if (mark !== undefined) this.#recorder?.delivered(mark)
    })
  }

  #takeMessages(now: Ms): ResultsMessage[] {
    const messages: ResultsMessage[] = []
    for (const chunks of [this.#ended, this.#open])
      for (const chunk of chunks) {
        const message = chunk.takeMessage(now)
        if (message !== undefined) messages.push(message)
      }
    this.#ended = []
    this.#unsentItems = 0
    this.#characters = 0
    this.#mustFlush = false
    return messages
  }

  /** Where a message cannot be sent, its parts can, except for the items at fault: those have failed. */
  #trySend(messages: readonly ResultsMessage[]): Promise<unknown> {
    try {
      return this.#send(messages)
    } catch (thrown) {
      const parts = messages.length > 1 ? messages : partsOf(messages[0]!, thrown)
      return Promise.all(parts.map((part) => this.#trySend([part])))
    }
  }
}

/** @throws `thrown` if nothing can be left out of the message any more */
function partsOf(message: ResultsMessage, thrown: unknown): readonly ResultsMessage[] {
  const cloneable = thrown instanceof TooLargeError ? undefined : withoutUncloneable(message)
  if (cloneable !== undefined) return [cloneable]
  if (message.count > 1) return halvesOf(message)
  if (message.failures[0]?.failure.kind === 'encoding') throw thrown
  return [failedToSend(message, thrown)]
}
