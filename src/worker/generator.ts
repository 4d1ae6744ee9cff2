// A task that is a generator: all that it yields are the results of its item.
import { types } from 'node:util'
import { weigh } from '../errors/capture/weigh.js'
import { MAX_TEXT, TOO_LONG } from '../framing/bytes.js'
import { NO_RESULTS, withResult } from '../framing/result-lines.js'
import type { Failure, TaskSpec } from '../model.js'
import { checkLength, encodeJson, encodeRow } from './encode-result.js'
import type { EventLoop } from './event-loop.js'
import { Refusal } from './outcome.js'
import type { Context } from './task-context.js'

// Taken before the job is loaded: it may replace it.
const { isGeneratorObject } = types

type Turns = Pick<EventLoop, 'isYieldDue' | 'yieldToEventLoop'>
type AnyGenerator = Generator<unknown> | AsyncGenerator<unknown>

/** Results as the line of their item (framing/result-lines.ts). */
export class YieldedLine {
  constructor(readonly text: string) {}
}

/** What a task has called: its generator has not begun to run. */
export function isGenerator(outcome: unknown): outcome is AnyGenerator {
  // Most objects have no `next`, which is found out faster.
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    typeof (outcome as { next?: unknown }).next === 'function' &&
    isGeneratorObject(outcome)
  )
}

/**
 * The outcome of an item whose task is a generator. It is called in the context of the item, because only now the code of
 * the task runs.
 * @throws what the generator throws, and the reason of the item's signal
 */
export function readGenerator(
  generator: AnyGenerator,
  { reply, rows }: Pick<TaskSpec, 'reply' | 'rows'>,
  context: Context,
  eventLoop: Turns,
): unknown {
  const yielded = reply === 'json' ? new Lines(rows === true ? encodeRow : encodeJson) : new Values()
  return Symbol.asyncIterator in generator
    ? readAsync(generator, yielded, context, eventLoop)
    : readSync(generator, yielded)
}

function readSync(generator: Generator<unknown>, yielded: Lines | Values): unknown {
  for (let step = generator.next(); !step.done; step = generator.next()) {
    const failure = yielded.add(step.value)
    if (failure === undefined) continue
    generator.return(undefined)
    return new Refusal(failure)
  }
  return yielded.outcome()
}

/**
 * An item that was cancelled, or has exceeded its time, ends where it yields next. The event loop, which delivers the cancel, gets
 * a turn now and then: a generator may never wait for it.
 */
async function readAsync(
  generator: AsyncGenerator<unknown>,
  yielded: Lines | Values,
  context: Context,
  eventLoop: Turns,
): Promise<unknown> {
  const { signal } = context
  for (let step = await generator.next(); !step.done; step = await generator.next()) {
    const failure = yielded.add(step.value)
    if (eventLoop.isYieldDue) await eventLoop.yieldToEventLoop()
    if (failure === undefined && !signal.aborted) continue
    await generator.return(undefined)
    if (failure !== undefined) return new Refusal(failure)
    throw signal.reason
  }
  return yielded.outcome()
}

class Lines {
  readonly #encode: typeof encodeJson
  #text = ''
  #count = 0

  constructor(encode: typeof encodeJson) {
    this.#encode = encode
  }

  add(value: unknown): Failure | undefined {
    const encoded = this.#encode(value)
    if ('unserializable' in encoded) {
      const { path, ...rest } = encoded.unserializable
      return { kind: 'encoding', side: 'result', path: pathIn(this.#count, path), ...rest }
    }
    if (this.#text.length + encoded.text.length >= MAX_TEXT) return TOO_MUCH
    this.#text = withResult(this.#text, encoded.text)
    this.#count++
    return undefined
  }

  outcome(): YieldedLine | Refusal {
    if (this.#count === 0) return new YieldedLine(NO_RESULTS)
    return 'text' in checkLength(this.#text) ? new YieldedLine(this.#text) : new Refusal(TOO_MUCH)
  }
}

class Values {
  readonly #values: unknown[] = []
  #bytes = 0

  add(value: unknown): Failure | undefined {
    const bytes = weigh(value)
    // Of one that may not be readable the size is not known. It is sent alone, where its failure can name it.
    if (bytes < Number.POSITIVE_INFINITY) this.#bytes += bytes
    if (this.#bytes >= MAX_TEXT) return TOO_MUCH
    this.#values.push(value)
    return undefined
  }

  outcome(): unknown[] {
    return this.#values
  }
}

/** `[2].a` for the part `a` of the third value. */
function pathIn(i: number, path: string): string {
  return path === '' || path.startsWith('[') ? `[${i}]${path}` : `[${i}].${path}`
}

const TOO_MUCH: Failure = {
  kind: 'encoding',
  side: 'result',
  path: '',
  message: `all that it yields is ${TOO_LONG}`,
  preview: '',
}
