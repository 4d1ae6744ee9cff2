// Repeated failures: the first ten of a place are shown in full, later ones in a line or not at all, and counted. A place
// is a class of errors and the first frame of their stacks. Memory is bounded, however many places and messages there are.
import type { Failure } from '../model.js'
import { framesOf } from './source-location.js'

const SHOWN_PER_PLACE = 10
/** Beyond this many, the place that is least recently used is reported early and forgotten. */
const MAX_PLACES = 1000
/** Of all places together. Beyond this many, a message counts as known. */
const MAX_MESSAGES = 100_000
/** A longer message is identified by its first characters and its length. */
const KEY_CHARACTERS = 500

/** `first`: the first of its place. The last two are not shown in full; a line has a message that is new there. */
export type Display = 'first' | 'full' | 'line' | 'counted'

export interface RepeatedFailure {
  /** The first item of the place, and its failure. */
  readonly index: number
  readonly failure: Failure
  /** Failures that were only counted. */
  readonly more: number
}

interface Place {
  readonly index: number
  readonly failure: Failure
  readonly messages: Set<string>
  seen: number
  more: number
}

export class FailurePlaces {
  readonly #places = new Map<string, Place>()
  readonly #show: 'all' | 'messages' | 'ten'
  readonly #onForget: (repeated: RepeatedFailure) => void
  #messages = 0

  /** `show`: besides the first ten, everything, a line for each new message, or nothing. */
  constructor(show: 'all' | 'messages' | 'ten', onForget: (repeated: RepeatedFailure) => void) {
    this.#show = show
    this.#onForget = onForget
  }

  /** How to show this failure, and the first item that failed at its place. */
  add(index: number, failure: Failure): { readonly display: Display; readonly like: number } {
    const place = this.#placeOf(index, failure)
    place.seen += 1
    const display = this.#displayOf(place, failure)
    if (display === 'counted') place.more += 1
    return { display, like: place.index }
  }

  /** Reports all failures that were not shown. */
  finish(): void {
    while (this.#places.size > 0) this.#forgetOldest()
  }

  #placeOf(index: number, failure: Failure): Place {
    const key = placeOf(failure)
    const place = this.#places.get(key) ?? { index, failure, messages: new Set(), seen: 0, more: 0 }
    this.#places.delete(key)
    this.#places.set(key, place)
    if (this.#places.size > MAX_PLACES) this.#forgetOldest()
    return place
  }

  #displayOf(place: Place, failure: Failure): Display {
    const isNew = this.#show === 'messages' && this.#isNewMessage(place, failure)
    if (place.seen === 1) return 'first'
    if (place.seen <= SHOWN_PER_PLACE || this.#show === 'all') return 'full'
    return isNew ? 'line' : 'counted'
  }

  #isNewMessage({ messages }: Place, failure: Failure): boolean {
    const message = shorten(messageOf(failure))
    if (messages.has(message) || this.#messages === MAX_MESSAGES) return false
    messages.add(message)
    this.#messages++
    return true
  }

  #forgetOldest(): void {
    const [key, { index, failure, more, messages }] = this.#places.entries().next().value!
    this.#places.delete(key)
    this.#messages -= messages.size
    if (more > 0) this.#onForget({ index, failure, more })
  }
}

/** The same for all failures of a place. One without frames is at the place of its kind. */
export function placeOf(failure: Failure): string {
  return `${failure.kind} ${classOf(failure)}\n${firstFrame(framesOf(failure) ?? '')}`.trim()
}

function classOf(failure: Failure): string {
  const error = failure.kind === 'error' ? failure.error : 'escaped' in failure ? failure.escaped : undefined
  if (error === undefined) return ''
  return error.type === 'error' ? error.name : error.typeName
}

function firstFrame(frames: string): string {
  return frames.trimStart().split('\n', 1)[0] ?? ''
}

/** What differs between the failures of a place. */
function messageOf(failure: Failure): string {
  switch (failure.kind) {
    case 'error':
      return failure.error.type === 'error' ? failure.error.message : failure.error.preview
    case 'crash':
    case 'oom':
      return `${failure.signal ?? failure.exitCode}${failure.escaped?.type === 'error' ? failure.escaped.message : ''}`
    case 'timeout':
      return ''
    case 'input':
      return failure.message
    case 'validation':
      return failure.issues.map(({ message, path }) => `${path}: ${message}`).join('; ')
    case 'encoding':
      return `${failure.side} ${failure.path} ${failure.message}`
    default:
      return failure satisfies never
  }
}

function shorten(text: string): string {
  return text.length <= KEY_CHARACTERS ? text : `${text.slice(0, KEY_CHARACTERS)}${text.length}`
}
