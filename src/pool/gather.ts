// A call to its end: all its results, or the first failure. For `map`, `starmap`, `apply` and their asynchronous forms.
// Knows nothing of callbacks or handles.
import { PoolStateError } from '../errors/classes.js'
import { makeItemError } from '../errors/item-error.js'
import type { CallSite } from '../errors/stacks.js'
import { indexOf, type Settled } from '../model.js'
import type { Call } from './engine.js'
import { at, failed, type Outcome, succeeded } from './outcome.js'

/** Never rejects. */
export async function gather(
  call: Call,
  errorOf: (thrown: unknown, site: CallSite) => unknown,
): Promise<Outcome<unknown[]>> {
  const { flow } = call
  const results: unknown[] = []
  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      for (const value of valuesOf(settled)) results.push(value)
  } catch (thrown) {
    return failed((site) => errorOf(thrown, site))
  }
  if (flow.stopped !== undefined) {
    const { failure, settled } = flow.stopped
    const index = indexOf(settled.chunk, failure.offset)
    return failed((site) => makeItemError({ index, site }, failure))
  }
  if (call.cutShort) {
    const message = 'the pool was closed before all of the input was read'
    return failed((site) => at(site, new PoolStateError(message)))
  }
  return succeeded(results)
}

export function valuesOf({ results }: Settled): readonly unknown[] {
  if (results.kind === 'values') return results.values
  throw new TypeError('the library asks its workers for values')
}
