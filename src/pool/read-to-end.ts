// Reads a call to its end: all its results, or the first failure. For `map`, `starmap`, `apply` and their asynchronous
// forms.
import { PoolStateError } from '../errors/classes.js'
import { makeItemError } from '../errors/rebuild/item-error.js'
import { attachCallSite, type CallSite } from '../errors/stacks.js'
import { itemIndexAt } from '../model.js'
import { failed, type Outcome, succeeded, valuesOf } from './outcome.js'
import type { PoolCall } from './pool-core.js'

/** Arrays that are joined by one `concat`, which copies all results so far: many, but fewer than V8 takes arguments. */
const ARRAYS_PER_CONCAT = 16_384

/** Never rejects. `errorOf` makes the error for what the flow threw. */
export async function readToEnd(
  call: PoolCall,
  errorOf: (thrown: unknown, site: CallSite) => unknown,
): Promise<Outcome<unknown[]>> {
  const { flow } = call
  let results: unknown[] = []
  let unjoined: (readonly unknown[])[] = []
  const join = () => {
    results = results.concat(...unjoined)
    unjoined = []
  }
  try {
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      // Range by range instead of value by value: `concat` copies a million values in milliseconds.
      if (unjoined.push(valuesOf(settled)) === ARRAYS_PER_CONCAT) join()
    join()
  } catch (thrown) {
    return failed((site) => errorOf(thrown, site))
  }
  if (flow.stopped !== undefined) {
    const { failure, settled } = flow.stopped
    const index = itemIndexAt(settled.chunk, failure.offset)
    return failed((site) => makeItemError({ index, site }, failure))
  }
  if (call.wasCutShort) {
    const message = 'the pool was closed before all of the input was read'
    return failed((site) => attachCallSite(new PoolStateError(message), site))
  }
  return succeeded(results)
}
