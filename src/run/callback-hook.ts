// `--callbacks`: calls the user's functions in this process, once an item, in settle order.
// Knows nothing of how they were compiled, nor of what becomes of the results.
import { CallbackFault } from '../errors/callback-fault.js'
import { makeCallbackError, makeItemError } from '../errors/rebuild/item-error.js'
import { asBuffer } from '../framing/bytes.js'
import { type Callbacks, loadCallbacks } from '../job/callbacks.js'
import { type ItemFailure, itemIndexAt, type SettledRange } from '../model.js'

export async function openCallbacks(
  path: string,
  cwd: string,
): Promise<(settled: SettledRange) => Promise<void>> {
  // stdout is for results alone, and this code runs in our process: what it prints goes to stderr.
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => process.stderr })
  // A callback that ends the process would end the run without a verdict.
  process.exit = (code) => {
    throw new Error(`a callback called process.exit(${code ?? ''})`)
  }
  const callbacks = await loadCallbacks(path, cwd)
  return (settled) => callEach(settled, callbacks)
}

async function callEach(settled: SettledRange, { callback, errorCallback }: Callbacks): Promise<void> {
  const failures = new Map(settled.failures.map((failure) => [failure.offset, failure]))
  const results = resultsOf(settled)
  for (let offset = settled.from; offset < settled.from + settled.count; offset++) {
    const index = itemIndexAt(settled.chunk, offset)
    const failure = failures.get(offset)
    if (failure === undefined) {
      const result = results.next().value
      await attempt('callback', settled, offset, undefined, { result }, () => callback?.(result, index))
    } else {
      const error = makeItemError({ index }, failure)
      await attempt('errorCallback', settled, offset, failure, { error }, () => errorCallback?.(error, index))
    }
  }
}

async function attempt(
  which: 'callback' | 'errorCallback',
  settled: SettledRange,
  offset: number,
  failure: ItemFailure | undefined,
  task: { readonly result?: unknown; readonly error?: unknown },
  call: () => unknown,
): Promise<void> {
  try {
    const returned = call()
    if (returned instanceof Promise) await settling(returned)
    else await returned
  } catch (thrown) {
    const error = makeCallbackError(which, itemIndexAt(settled.chunk, offset), thrown, task)
    throw new CallbackFault(error, settled, offset, failure)
  }
}

/** A promise that nothing is left to settle would end the process without a word. */
function settling(promise: Promise<unknown>): Promise<unknown> {
  let stalled = () => {}
  const stall = new Promise<never>((_resolve, reject) => {
    stalled = () =>
      reject(new Error('the promise of the callback never settled, and nothing is left to settle it'))
    process.once('beforeExit', stalled)
  })
  return Promise.race([promise, stall]).finally(() => process.off('beforeExit', stalled))
}

/** Of the items that succeeded: values have a place for the others too, lines do not. */
function* resultsOf({ results, from, failures }: SettledRange): Generator<unknown> {
  if (results.kind === 'values') {
    const failed = new Set(failures.map(({ offset }) => offset - from))
    for (const [place, value] of results.values.entries()) if (!failed.has(place)) yield value
    return
  }
  const bytes = asBuffer(results.bytes)
  for (let start = 0, lf: number; start < bytes.length; start = lf + 1) {
    lf = bytes.indexOf(0x0a, start)
    yield JSON.parse(bytes.toString('utf8', start, lf))
  }
}
