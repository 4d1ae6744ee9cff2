// `--callbacks`: calls the user's functions in this process, once per item, in settle order.
import { CallbackError, JobError } from '../errors/classes.js'
import { ItemCallbackError } from '../errors/rebuild/item-callback-error.js'
import { makeCallbackError, makeItemError } from '../errors/rebuild/item-error.js'
import { asBuffer } from '../framing/bytes.js'
import { parseResult } from '../framing/result-lines.js'
import { type Callbacks, loadCallbacks } from '../job/callbacks.js'
import { type ItemFailure, itemIndexAt, type SettledRange } from '../model.js'

export interface OpenCallbacks {
  /** Calls the user's function for each item of the range. */
  readonly call: (settled: SettledRange) => Promise<void>
  /** Rejects with a CallbackError when something is thrown where no callback's promise catches it. */
  readonly escaped: Promise<never>
}

export async function openCallbacks(path: string, cwd: string): Promise<OpenCallbacks> {
  // Callbacks run in this process, whose stdout is for results only: what they print goes to stderr.
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => process.stderr })
  // A callback that exits the process would end the run without a summary.
  process.exit = (code) => {
    throw new Error(`a callback called process.exit(${code ?? ''})`)
  }
  // Frames of TypeScript lead to its source.
  process.setSourceMapsEnabled(true)
  const escaped = escapedError()
  const callbacks = await settledOrStalled(
    loadCallbacks(path, cwd),
    () => new JobError('the module of --callbacks never finished loading, and nothing is left to wait for'),
  )
  return { call: (settled) => callForEach(settled, callbacks), escaped }
}

/** From a timer, an event or a promise that nobody awaits: Node would end this process. */
function escapedError(): Promise<never> {
  const escaped = new Promise<never>((_resolve, reject) => {
    const onError = (thrown: unknown) =>
      reject(
        new CallbackError('the module of --callbacks threw outside of its callbacks', {}, { cause: thrown }),
      )
    process.on('uncaughtException', onError)
    process.on('unhandledRejection', onError)
  })
  escaped.catch(() => {})
  return escaped
}

async function callForEach(settled: SettledRange, { callback, errorCallback }: Callbacks): Promise<void> {
  const failures = new Map(settled.failures.map((failure) => [failure.offset, failure]))
  const results = resultsOf(settled)
  for (let offset = settled.from; offset < settled.from + settled.count; offset++) {
    const index = itemIndexAt(settled.chunk, offset)
    const failure = failures.get(offset)
    if (failure === undefined) {
      const result = results.next().value
      await callFor('callback', settled, offset, undefined, { result }, () => callback?.(result, index))
    } else {
      const error = makeItemError({ index }, failure)
      await callFor('errorCallback', settled, offset, failure, { error }, () => errorCallback?.(error, index))
    }
  }
}

/** @throws ItemCallbackError with what the callback threw */
async function callFor(
  which: 'callback' | 'errorCallback',
  settled: SettledRange,
  offset: number,
  failure: ItemFailure | undefined,
  task: { readonly result?: unknown; readonly error?: unknown },
  call: () => unknown,
): Promise<void> {
  try {
    const returned = call()
    if (returned instanceof Promise) await settledOrStalled(returned, neverSettled)
    else await returned
  } catch (thrown) {
    const error = makeCallbackError(which, itemIndexAt(settled.chunk, offset), thrown, task)
    throw new ItemCallbackError(error, settled, offset, failure)
  }
}

/** Rejects where the event loop runs empty before the promise settles: Node would exit without any message. */
function settledOrStalled<T>(promise: Promise<T>, makeError: () => Error): Promise<T> {
  let stalled = () => {}
  const stall = new Promise<never>((_resolve, reject) => {
    stalled = () => reject(makeError())
    process.once('beforeExit', stalled)
  })
  return Promise.race([promise, stall]).finally(() => process.off('beforeExit', stalled))
}

const neverSettled = () =>
  new Error('the promise of the callback never settled, and nothing is left to settle it')

/** Results of the items that succeeded. Values include `undefined` for failed items, lines leave them out. */
function* resultsOf({ results, from, failures }: SettledRange): Generator<unknown> {
  if (results.kind === 'values') {
    const failed = new Set(failures.map(({ offset }) => offset - from))
    for (const [i, value] of results.values.entries()) if (!failed.has(i)) yield value
    return
  }
  const bytes = asBuffer(results.bytes)
  for (let start = 0, lf: number; start < bytes.length; start = lf + 1) {
    lf = bytes.indexOf(0x0a, start)
    yield parseResult(bytes.toString('utf8', start, lf))
  }
}
