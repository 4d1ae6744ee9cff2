// Where results must fit the first one, as rows fit a header: no result settles before the first one is known. Failures
// do, so that they can end the call. Pure.
import { asBuffer } from '../../framing/bytes.js'
import { withoutLines } from '../../framing/slice.js'
import type { Failure, Ms, TaskSpec, WrongLine } from '../../model.js'
import type { ResultCheck } from '../result-check.js'
import type { PendingChunk } from './pending-chunk.js'
import { part, type ResultRange, without } from './ranges.js'
import { type Attempt, resultRange, type WorkerIdentity } from './settled-range.js'

/** What a worker has sent of a chunk. */
export interface Outcomes {
  readonly worker: WorkerIdentity
  readonly pending: PendingChunk
  readonly range: ResultRange
  readonly at: Ms
}

export class ResultGate {
  readonly #check: ResultCheck
  /** The first result is that of the first item in the input; otherwise the first one that arrives. */
  readonly #ordered: boolean
  readonly #task: TaskSpec
  readonly #passed: Outcomes[] = []
  /** Without failures, by the sequence number of the first item. */
  readonly #held = new Map<number, Outcomes>()
  #heldBytes = 0
  #reportedBytes = 0
  /** The first item that can have the first result. */
  #nextSeq = 0
  /** Items behind it that have failed: from the first to the end. */
  readonly #failed = new Map<number, number>()

  constructor(check: ResultCheck, ordered: boolean, task: TaskSpec) {
    this.#check = check
    this.#ordered = ordered
    this.#task = task
  }

  add(outcomes: Outcomes): void {
    if (this.#check.isReady) return this.#pass(outcomes)
    const { range } = outcomes
    for (const { offset } of range.failures)
      this.#passed.push({ ...outcomes, range: part(range, offset, offset + 1) })
    for (const succeeded of without(range, range.failures)) this.#hold({ ...outcomes, range: succeeded })
    this.#advance()
  }

  /** The items have failed for good. */
  failed(firstSeq: number, count: number): void {
    if (this.#check.isReady) return
    this.#failed.set(firstSeq, firstSeq + count)
    this.#advance()
  }

  /** The next outcomes that settle or are retried, with what the check has found. */
  shift(): Outcomes | undefined {
    return this.#passed.shift()
  }

  /** Nothing else comes, or nothing that matters: the first result is the first one that is here. */
  release(): void {
    const held = [...this.#held].sort(([a], [b]) => a - b)
    this.#held.clear()
    for (const [, outcomes] of held) {
      this.#heldBytes -= linesOf(outcomes).length
      if (!this.#check.isReady) this.#check.begin(linesOf(outcomes))
      this.#pass(outcomes)
    }
  }

  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#passed.length === 0
  }

  /** By how much the bytes of what is held have changed since the last call. */
  takeHeldChange(): number {
    const change = this.#heldBytes - this.#reportedBytes
    this.#reportedBytes = this.#heldBytes
    return change
  }

  #hold(outcomes: Outcomes): void {
    const { pending, range } = outcomes
    this.#held.set(pending.chunk.seq + range.from, outcomes)
    this.#heldBytes += linesOf(outcomes).length
  }

  /** Releases everything once the first result is known; before, what certainly does not have it. */
  #advance(): void {
    if (!this.#ordered) return this.release()
    for (;;) {
      const end = this.#failed.get(this.#nextSeq)
      const outcomes = this.#held.get(this.#nextSeq)
      if (end !== undefined) {
        this.#failed.delete(this.#nextSeq)
        this.#nextSeq = end
      } else if (outcomes !== undefined) {
        if (this.#check.begin(linesOf(outcomes))) return this.release()
        this.#held.delete(this.#nextSeq)
        this.#heldBytes -= linesOf(outcomes).length
        this.#nextSeq += outcomes.range.count
        this.#pass(outcomes)
      } else return
    }
  }

  #pass(outcomes: Outcomes): void {
    const { worker, pending, range } = outcomes
    const wrong = this.#check.check(linesOf(outcomes))
    const checked = wrong.length === 0 ? range : withFailures(range, wrong, worker, pending, this.#task)
    this.#passed.push({ ...outcomes, range: checked })
  }
}

function linesOf({ range: { results } }: Pick<Outcomes, 'range'>): Buffer {
  if (results.kind !== 'json') throw new TypeError('only lines of JSON can be checked')
  return asBuffer(results.bytes)
}

/** The range where the items of some lines have failed after all. */
function withFailures(
  range: ResultRange,
  wrong: readonly WrongLine[],
  worker: WorkerIdentity,
  pending: Attempt,
  task: TaskSpec,
): ResultRange {
  const { from, count, results, timings } = range
  const failures: { offset: number; failure: Failure }[] = []
  let line = 0
  let known = 0
  let next = 0
  for (let offset = from; offset < from + count; offset++) {
    const failure = range.failures[known]
    if (failure?.offset === offset) {
      failures.push(failure)
      known++
    } else if (wrong[next]?.line === line++) failures.push({ offset, failure: wrong[next++]!.failure })
  }
  const bytes = withoutLines(
    (results as Extract<typeof results, { kind: 'json' }>).bytes,
    wrong.map((one) => one.line),
  )
  return resultRange(worker, task, pending, {
    from,
    count,
    results: { kind: 'json', bytes },
    failures,
    timings,
  })
}
