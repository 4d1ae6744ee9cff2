// With a journal: between the flow and the executor, gives items their keys, settles those that have a result in the journal and
// passes on the others. Without results in it, all are passed on.
import { Canceller, onAbort } from '../abort.js'
import type { Execution, Executor } from '../executor/executor.js'
import { sliceChunk, withoutLines } from '../framing/slice.js'
import type { Identified, Journal } from '../journal/journal.js'
import { type Chunk, itemIndexAt, type SettledRange, type Thrown } from '../model.js'
import type { ChunkSource, Want } from '../source.js'

/** While all items are settled, more are read than the executor wants: it does not get them. */
const MAX_AHEAD_ITEMS = 4096
const AHEAD_BYTES = 256 * 1024

interface ResumeOptions {
  readonly journal: Journal
  /** There may be results in it. */
  readonly isResumed: boolean
  /** Appends what has settled to the journal. */
  readonly write: (settled: SettledRange) => void
  /** What a run ends with that cannot read its journal. */
  readonly cannotRead: (error: unknown) => Error
  /** Where the event begins of the item that had an index in an earlier run; 0 without one. */
  readonly places?: { at(index: number): number } | undefined
  /** Called with each item that runs, and why. */
  readonly explain?: ((line: string) => void) | undefined
}

export function resuming(
  executor: Pick<Executor, 'execute'>,
  options: ResumeOptions,
): Pick<Executor, 'execute'> {
  return {
    async execute(execution) {
      const { check, signal, onSettled, onCancelled } = execution
      if (check?.isReady === false) beginTable(check, options.journal)
      const canceller = new Canceller()
      const unlisten = signal && onAbort(signal, () => canceller.abort(signal.reason))
      if (signal?.aborted === true) canceller.abort(signal.reason)
      const source = new UnsettledSource(execution, options)
      await executor.execute({
        ...execution,
        source,
        // Where the journal has only failures to give back, no item comes in the place of theirs.
        isOrdered: execution.isOrdered === true && !options.journal.keepsFailures,
        signal: canceller,
        onSettled(settled) {
          try {
            if (source.error === undefined) {
              options.write(settled)
              return onSettled(settled)
            }
          } catch (error) {
            source.error = { error }
            canceller.abort(error)
          }
          // What is not in the journal has not settled.
          const { chunk, from, count, workerId, pid, attempts } = settled
          onCancelled?.({ chunk, from, count, workerId, pid, attempts })
        },
      })
      unlisten?.()
      if (source.error !== undefined) throw source.error.error
    },
  }
}

/** The header is that of the earlier run. */
function beginTable(check: NonNullable<Execution['check']>, journal: Journal): void {
  const first = journal.firstValue()
  if (first !== undefined) check.begin(first)
}

class UnsettledSource implements ChunkSource {
  /** What went wrong when the journal was read: the source ends there. */
  error: Thrown | undefined
  readonly #execution: Execution
  readonly #options: ResumeOptions
  /** Items that are not settled and were not passed on yet. */
  readonly #parts: Chunk[] = []
  #ahead = 1
  #hasEnded = false

  constructor(execution: Execution, options: ResumeOptions) {
    this.#execution = execution
    this.#options = options
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    for (;;) {
      const part = this.#takePart(want)
      if (part !== undefined || this.#hasStopped) return part
      const chunk = this.#read(want)
      if (chunk instanceof Promise) return this.#nextAfter(chunk, want)
      if (chunk === undefined) return undefined
      // A failure may end the call, and not from within this one.
      if (!this.#settle(chunk, 'values')) return this.#nextAfter(Promise.resolve(chunk), want)
    }
  }

  close(): ReturnType<ChunkSource['close']> {
    this.#parts.length = 0
    return this.#execution.source.close()
  }

  remaining(): number | undefined {
    const rest = this.#hasEnded ? 0 : this.#execution.source.remaining?.()
    return rest === undefined ? undefined : this.#parts.reduce((sum, { count }) => sum + count, rest)
  }

  async #nextAfter(first: Promise<Identified | undefined>, want: Want): Promise<Chunk | undefined> {
    for (let chunk = await first; chunk !== undefined; chunk = await this.#read(want)) {
      this.#settle(chunk, 'all')
      const part = this.#takePart(want)
      if (part !== undefined || this.#hasStopped) return part
    }
    return undefined
  }

  get #hasStopped(): boolean {
    const { signal, drain } = this.#execution
    return this.error !== undefined || signal?.aborted === true || drain?.aborted === true
  }

  #takePart({ items, bytes }: Want): Chunk | undefined {
    const part = this.#parts[0]
    if (part === undefined) return undefined
    const { payload, count } = part
    const size = payload.kind === 'bytes' ? payload.bytes.length : 0
    const fitting = size <= bytes ? count : Math.max(1, Math.floor((count * bytes) / size))
    const taken = Math.min(items, fitting)
    if (taken >= count) return this.#parts.shift()
    this.#parts[0] = sliceChunk(part, taken, count)
    return sliceChunk(part, 0, taken)
  }

  #read({ items, bytes }: Want): Identified | undefined | Promise<Identified | undefined> {
    const { source } = this.#execution
    const isAhead = this.#options.isResumed && this.#ahead > 1
    const next = source.next({
      items: isAhead ? Math.max(items, this.#ahead) : items,
      bytes: isAhead ? Math.max(bytes, AHEAD_BYTES) : bytes,
    })
    if (next instanceof Promise) return next.then((chunk) => this.#identify(chunk))
    return this.#identify(next)
  }

  #identify(chunk: Chunk | undefined): Identified | undefined {
    if (chunk === undefined) this.#hasEnded = true
    return chunk && this.#options.journal.identify(chunk)
  }

  /** With `values`, does nothing and returns false for a chunk with failures to give back. */
  #settle(identified: Identified, what: 'values' | 'all'): boolean {
    const { journal, isResumed } = this.#options
    const { chunk, events } = identified
    if (!isResumed) {
      this.#parts.push(chunk)
      return true
    }
    if (what === 'values' && events.some((event) => event < 0 && journal.isSettled(event))) return false
    try {
      const parts = this.#parts.length
      for (let from = 0; from < chunk.count; ) {
        const isSettled = journal.isSettled(events[from]!)
        let to = from + 1
        while (to < chunk.count && journal.isSettled(events[to]!) === isSettled) to++
        if (isSettled) for (const range of journal.restore(identified, from, to)) this.#deliver(range)
        else this.#pass(identified, from, to)
        from = to
      }
      this.#ahead = this.#parts.length > parts ? 1 : Math.min(2 * this.#ahead, MAX_AHEAD_ITEMS)
    } catch (error) {
      this.error = { error: this.#options.cannotRead(error) }
    }
    return true
  }

  #deliver(range: SettledRange): void {
    const { check, onSettled, signal } = this.#execution
    if (signal?.aborted === true) return
    onSettled(fitting(range, check))
  }

  #pass({ chunk, events }: Identified, from: number, to: number): void {
    this.#parts.push(sliceChunk(chunk, from, to))
    const { explain } = this.#options
    if (explain === undefined) return
    for (let offset = from; offset < to; offset++) {
      const index = itemIndexAt(chunk, offset)
      explain(`resume: item ${index} ${this.#whyRun(index, events[offset]!)}`)
    }
  }

  #whyRun(index: number, event: number): string {
    const { journal, places } = this.#options
    if (event < 0) return `runs again, it has failed: ${journal.errorOf(event)}`
    const hasOther = places !== undefined && places.at(index) !== 0
    return hasOther
      ? 'runs, the journal has another value for this index'
      : 'runs, the journal has no result for it'
  }
}

/** Where the output is a table, whose header the first result makes: results that do not fit its header have failed. */
export function fitting(range: SettledRange, check: Execution['check']): SettledRange {
  const { results, from, failures, workerId, pid, attempts } = range
  if (check === undefined || results.kind !== 'json' || failures.length > 0) return range
  if (!check.isReady) check.begin(results.bytes)
  const wrong = check.check(results.bytes)
  if (wrong.length === 0) return range
  const bytes = withoutLines(
    results.bytes,
    wrong.map(({ line }) => line),
  )
  const failed = wrong.map(({ line, failure }) => ({ offset: from + line, failure, workerId, pid, attempts }))
  return { ...range, results: { kind: 'json', bytes }, failures: failed }
}
