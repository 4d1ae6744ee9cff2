// Repeated failures: the first ten of a kind are shown, later ones only counted and told of at the end.
// Of a kind are failures with the same first frame and message. Bounded memory, however many kinds there are.
import type { ErrorData } from '../error-data.js'
import { formatMs } from '../errors/messages.js'
import type { Failure } from '../model.js'
import { NAMED_INDEXES } from '../summary.js'

/** Blocks shown of each kind. */
const SHOWN = 10
/** Kinds remembered; of those least recently met only the unreported count is given out, early. */
const KINDS = 1000
/** Of a message that is longer, the beginning and the length tell it apart well enough. */
const KEY_LENGTH = 500

export interface RepeatedFailure {
  /** The first item that failed so. */
  readonly index: number
  /** What failed, in a line; text of the job, not yet made harmless. */
  readonly title: string
  /** Failures that were not shown. */
  readonly more: number
  /** The first of those. */
  readonly indexes: readonly number[]
}

interface Group {
  readonly index: number
  readonly title: string
  seen: number
  readonly indexes: number[]
}

export class FailureGroups {
  readonly #groups = new Map<string, Group>()
  readonly #onForget: (repeated: RepeatedFailure) => void

  constructor(onForget: (repeated: RepeatedFailure) => void) {
    this.#onForget = onForget
  }

  /** Whether this failure is to be shown. */
  add(index: number, failure: Failure): boolean {
    const { key, title } = kindOf(failure)
    const group = this.#groups.get(key) ?? { index, title, seen: 0, indexes: [] }
    this.#groups.delete(key)
    this.#groups.set(key, group)
    if (this.#groups.size > KINDS) this.#forgetOldest()
    group.seen += 1
    if (group.seen <= SHOWN) return true
    if (group.indexes.length < NAMED_INDEXES) group.indexes.push(index)
    return false
  }

  /** Gives out what was not shown, once. */
  finish(): void {
    while (this.#groups.size > 0) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const [key, group] = this.#groups.entries().next().value!
    this.#groups.delete(key)
    if (group.seen > SHOWN) this.#onForget({ ...group, more: group.seen - SHOWN })
  }
}

export function kindOf(failure: Failure): { key: string; title: string } {
  switch (failure.kind) {
    case 'error':
      return {
        key: `${firstFrame(failure.error)}\n${shorten(headline(failure.error))}`,
        title: headline(failure.error),
      }
    case 'crash':
    case 'oom': {
      const how = failure.signal === null ? `exit code ${failure.exitCode}` : failure.signal
      const escaped = failure.escaped === undefined ? '' : shorten(headline(failure.escaped))
      return same(`worker lost, ${how}`, `${failure.kind} ${escaped} ${failure.exitSite ?? ''}`)
    }
    case 'timeout':
      return same(`timeout after ${formatMs(failure.timeoutMs)}`)
    case 'input':
      return same(failure.message)
    case 'validation':
      return same(
        failure.issues.map(({ message, path }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
      )
    case 'encoding':
      return same(failure.message, `${failure.side} ${failure.path}`)
    default:
      return failure satisfies never
  }
}

function same(title: string, detail = ''): { key: string; title: string } {
  return { key: `${shorten(title)}\n${shorten(detail)}`, title }
}

function headline(error: ErrorData): string {
  return error.type === 'error' ? `${error.name}: ${error.message}` : `thrown: ${error.preview}`
}

function firstFrame(error: ErrorData): string {
  return error.type === 'error' ? (error.frames.trimStart().split('\n', 1)[0] ?? '') : ''
}

function shorten(text: string): string {
  return text.length <= KEY_LENGTH ? text : `${text.slice(0, KEY_LENGTH)}${text.length}`
}
