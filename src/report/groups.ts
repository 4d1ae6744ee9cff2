// Repeated failures: the first ten of a group are shown, later ones are counted and reported at the end.
// Failures with the same first frame and message form a group. Memory is bounded, however many groups there are.
import type { ErrorData } from '../error-data.js'
import { formatMs } from '../errors/messages.js'
import type { Failure } from '../model.js'
import { NAMED_INDEXES } from '../summary.js'

const SHOWN_PER_GROUP = 10
/** Beyond this many, the group that is least recently used is reported early and forgotten. */
const MAX_GROUPS = 1000
/** A longer message is identified by its first characters and its length. */
const KEY_CHARACTERS = 500

export interface RepeatedFailure {
  /** The first item of the group. */
  readonly index: number
  /** What failed, in one line. Text of the job: not yet sanitised. */
  readonly title: string
  /** Failures that were not shown. */
  readonly more: number
  /** The first few of those. */
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

  /** Returns whether to show this failure. */
  add(index: number, failure: Failure): boolean {
    const { key, title } = failureGroup(failure)
    const group = this.#groups.get(key) ?? { index, title, seen: 0, indexes: [] }
    this.#groups.delete(key)
    this.#groups.set(key, group)
    if (this.#groups.size > MAX_GROUPS) this.#forgetOldest()
    group.seen += 1
    if (group.seen <= SHOWN_PER_GROUP) return true
    if (group.indexes.length < NAMED_INDEXES) group.indexes.push(index)
    return false
  }

  /** Reports all failures that were not shown. */
  finish(): void {
    while (this.#groups.size > 0) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const [key, group] = this.#groups.entries().next().value!
    this.#groups.delete(key)
    if (group.seen > SHOWN_PER_GROUP) this.#onForget({ ...group, more: group.seen - SHOWN_PER_GROUP })
  }
}

/** `key` is the same for all failures of a group. */
export function failureGroup(failure: Failure): { key: string; title: string } {
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
      return groupOf(`worker lost, ${how}`, `${failure.kind} ${escaped} ${failure.exitSite ?? ''}`)
    }
    case 'timeout':
      return groupOf(`timeout after ${formatMs(failure.timeoutMs)}`)
    case 'input':
      return groupOf(failure.message)
    case 'validation':
      return groupOf(
        failure.issues.map(({ message, path }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
      )
    case 'encoding':
      return groupOf(failure.message, `${failure.side} ${failure.path}`)
    default:
      return failure satisfies never
  }
}

function groupOf(title: string, detail = ''): { key: string; title: string } {
  return { key: `${shorten(title)}\n${shorten(detail)}`, title }
}

function headline(error: ErrorData): string {
  return error.type === 'error' ? `${error.name}: ${error.message}` : `thrown: ${error.preview}`
}

function firstFrame(error: ErrorData): string {
  return error.type === 'error' ? (error.frames.trimStart().split('\n', 1)[0] ?? '') : ''
}

function shorten(text: string): string {
  return text.length <= KEY_CHARACTERS ? text : `${text.slice(0, KEY_CHARACTERS)}${text.length}`
}
