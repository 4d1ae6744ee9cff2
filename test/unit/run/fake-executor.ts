// An executor that does nothing on its own: the test pulls and settles by hand.
import type { Execution, Executor } from '../../../src/executor/executor.js'
import type { Chunk, SettledRange } from '../../../src/model.js'
import type { ChunkSource, Want } from '../../../src/source.js'
import { valuesChunk } from '../policy/ranges.js'

const ONE: Want = { items: 1, bytes: 1 }

export class FakeExecutor implements Executor {
  #execution: Execution | undefined
  #resolve = () => {}
  #reject: (error: unknown) => void = () => {}

  execute(execution: Execution): Promise<void> {
    this.#execution = execution
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get execution(): Execution {
    return this.#execution!
  }

  get aborted(): boolean {
    return this.execution.signal?.aborted === true
  }

  pull(want: Want = ONE): ReturnType<ChunkSource['next']> {
    return this.execution.source.next(want)
  }

  /** For a source that returns chunks without a promise. */
  take(items = 1): Chunk {
    return this.pull({ items, bytes: 1_000_000 }) as Chunk
  }

  settle(settled: SettledRange): void {
    this.execution.onSettled(settled)
  }

  end(): void {
    this.#resolve()
  }

  fail(error: unknown): void {
    this.#reject(error)
  }

  readonly running = 0
  readonly pausedForMs = undefined
  start() {}
  activity = () => []
  suspend() {}
  resume() {}
  readOutput() {}
  close = async () => {}
  terminate = async () => {}
  kill = async () => {}
}

/** The numbers 0 … n − 1, then the end or `thrown`. */
export function source(n: number, thrown?: { readonly error: unknown }) {
  const made = {
    taken: 0,
    closed: 0,
    next({ items }: Want): Chunk | undefined {
      const count = Math.min(items, n - made.taken)
      if (count > 0) {
        made.taken += count
        return valuesChunk(made.taken - count, count)
      }
      if (thrown !== undefined) throw thrown.error
      return undefined
    },
    close() {
      made.closed++
    },
  }
  return made
}

/** Lets every promise that is ready run. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The state of a promise. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  promise.then(
    () => {
      state = 'fulfilled'
    },
    () => {
      state = 'rejected'
    },
  )
  await turn()
  return state
}
