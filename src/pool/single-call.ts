// A call of one item, as `apply` makes it. It needs no flow: nothing is read ahead, and there is no order, no policy and no
// second result. A server makes thousands of such calls per second.
import { PoolBrokenError } from '../errors/classes.js'
import { makeItemError } from '../errors/rebuild/item-error.js'
import type { CallSite } from '../errors/stacks.js'
import type { Execution, Executor } from '../executor/executor.js'
import type { Chunk, SettledRange } from '../model.js'
import { onAbort } from '../on-abort.js'
import type { ChunkSource } from '../source.js'
import { failed, type Outcome, succeeded, valuesOf } from './outcome.js'

interface CallOnceOptions {
  readonly executor: Pick<Executor, 'execute'>
  readonly item: unknown
  readonly execution: Omit<Execution, 'source' | 'onSettled'>
  /** The error for what the executor rejects with. */
  readonly errorOf: (thrown: unknown, site: CallSite) => unknown
  /** Nothing of the call runs any more. */
  readonly onEnd: () => void
}

/** Never rejects. The call ends with the reason of its `signal` if that aborts. */
export function callOnce(options: CallOnceOptions): Promise<Outcome<unknown>> {
  const { executor, item, execution, errorOf, onEnd } = options
  const { signal } = execution
  return new Promise((resolve) => {
    // The promise keeps the first outcome: nothing that follows an abort or a result changes it.
    const unlisten = signal && onAbort(signal, () => resolve(aborted(signal)))
    if (signal?.aborted === true) resolve(aborted(signal))
    const end = (last: Outcome<unknown>) => {
      unlisten?.()
      onEnd()
      resolve(last)
    }
    const source = new SingleItem(item)
    const onSettled = (settled: SettledRange) => resolve(outcomeOf(settled))
    executor.execute({ ...execution, source, onSettled }).then(
      () => end(NEVER_SETTLED),
      (thrown: unknown) => end(failed((site) => errorOf(thrown, site))),
    )
  })
}

const NEVER_SETTLED = failed(
  () => new PoolBrokenError('the items do not add up: item 0 never settled; this is a bug in poolrun'),
)

function aborted(signal: AbortSignal): Outcome<never> {
  return failed(() => signal.reason)
}

function outcomeOf(settled: SettledRange): Outcome<unknown> {
  const [failure] = settled.failures
  if (failure !== undefined) return failed((site) => makeItemError({ index: 0, site }, failure))
  return succeeded(valuesOf(settled)[0])
}

class SingleItem implements ChunkSource {
  #chunk: Chunk | undefined

  constructor(item: unknown) {
    this.#chunk = { seq: 0, count: 1, payload: { kind: 'values', values: [item] } }
  }

  remaining(): number {
    return this.#chunk === undefined ? 0 : 1
  }

  next(): Chunk | undefined {
    const chunk = this.#chunk
    this.#chunk = undefined
    return chunk
  }

  async close(): Promise<void> {
    this.#chunk = undefined
  }
}
