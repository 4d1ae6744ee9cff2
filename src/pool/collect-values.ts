// A call to its end: all its results, or the first failure. For `map`, `starmap`, `apply` and their asynchronous forms.
// Knows nothing of callbacks or handles.
import { PoolStateError } from '../errors/classes.js'
import { makeItemError } from '../errors/rebuild/item-error.js'
import type { CallSite } from '../errors/stacks.js'
import { itemIndexAt, type SettledRange } from '../model.js'
import { at, failed, type Outcome, succeeded } from './outcome.js'
import type { PoolCall } from './pool-core.js'

/** Arguments of one `concat`; the whole is copied once for so many ranges. */
const MOST_PARTS = 16_384

/** Never rejects. */
export async function gather(
  call: PoolCall,
  errorOf: (thrown: unknown, site: CallSite) => unknown,
): Promise<Outcome<unknown[]>> {
  const { flow } = call
  let results: unknown[] = []
  let parts: (readonly unknown[])[] = []
  const join = () => {
    results = results.concat(...parts)
    parts = []
  }
  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      // Put together range by range, not value by value: `concat` copies a million of them in milliseconds.
      if (parts.push(valuesOf(settled)) === MOST_PARTS) join()
    join()
  } catch (thrown) {
    return failed((site) => errorOf(thrown, site))
  }
  if (flow.stopped !== undefined) {
    const { failure, settled } = flow.stopped
    const index = itemIndexAt(settled.chunk, failure.offset)
    return failed((site) => makeItemError({ index, site }, failure))
  }
  if (call.cutShort) {
    const message = 'the pool was closed before all of the input was read'
    return failed((site) => at(site, new PoolStateError(message)))
  }
  return succeeded(results)
}

export function valuesOf({ results }: SettledRange): readonly unknown[] {
  if (results.kind === 'values') return results.values
  throw new TypeError('the library asks its workers for values')
}
