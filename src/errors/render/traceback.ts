// The text people read when something failed: the remote block, the sentence, the local error. Pure, without colour;
// whatever came from a job is sanitised. Knows nothing of streams, policies or summaries.

import type { ErrorData } from '../../error-data.js'
import type { Failure, ItemFailure } from '../../model.js'
import { toErrorData } from '../capture/to-error-data.js'
import { type CallbackError, type PoolError, RemoteTraceback } from '../classes.js'
import { itemPlace, makeItemError } from '../rebuild/item-error.js'
import { renderRemote } from '../rebuild/remote-traceback.js'
import { framesBelow, headerOf } from '../stacks.js'
import { type FrameOptions, formatFrames } from './frames.js'
import { DIRECT_CAUSE, renderChain } from './render-error.js'
import { previewText, sanitise } from './sanitise.js'

/** What was asked for, which stands in for the local stack: a command line has none. */
export interface Where {
  /** `poolrun map jobs/fail2.ts` */
  readonly command: string
}

export interface ItemWhere extends Where {
  readonly index: number
  /** The item's text; shortened here. */
  readonly item?: string | undefined
  /** `file:line:column` of the item's text, for failures of kind `input`. */
  readonly position?: string | undefined
}

const ITEM_CHARACTERS = 60

/** All texts are without a last line end. */
export function renderItemFailure(where: ItemWhere, failed: ItemFailure, options: FrameOptions): string {
  const { earlier, attempts } = failed
  const before =
    earlier === undefined
      ? ''
      : `${renderAttempts(where, earlier, attempts, options)}\n\n${attemptHeading(attempts, attempts)}\n`
  const remote = renderRemoteSide(where, failed, options)
  const local = renderLocal(makeItemError(where, failed), itemFrame(where))
  return before + (remote === '' ? '' : remote + DIRECT_CAUSE) + local + renderDeath(failed, options)
}

/** The first of `total` attempts at an item, oldest first: each without the local frame, which all of them share. */
export function renderAttempts(
  where: ItemWhere,
  attempts: readonly ItemFailure[],
  total: number,
  options: FrameOptions,
): string {
  return attempts
    .map((failed) => `${attemptHeading(failed.attempts, total)}\n${renderAttempt(where, failed, options)}`)
    .join('\n\n')
}

function attemptHeading(attempt: number, total: number): string {
  return `attempt ${attempt} of ${total} failed:`
}

function renderAttempt(where: ItemWhere, failed: ItemFailure, options: FrameOptions): string {
  // One excerpt is enough: attempts mostly fail in the same place.
  const remote = renderRemoteSide(where, failed, { ...options, excerpt: undefined })
  // What the job threw is all in the remote block; only poolrun's own errors have more to say.
  if (failed.failure.kind === 'error') return remote
  const local = sanitise(headerOf(makeItemError(where, failed))) + renderDeath(failed, options)
  return remote === '' ? local : remote + DIRECT_CAUSE + local
}

function renderRemoteSide({ index }: ItemWhere, failed: ItemFailure, options: FrameOptions): string {
  const data = remoteData(failed.failure)
  return data === undefined ? '' : renderRemote(itemPlace(index, failed), data, options)
}

/** For what broke the whole: `InitializerError`, `JobError`, `PoolBrokenError`. */
export function renderFault(where: Where, error: PoolError, options: FrameOptions): string {
  const remote = error.cause instanceof RemoteTraceback ? error.cause.render(options) + DIRECT_CAUSE : ''
  return `${remote}${renderLocal(error, `    at ${sanitise(where.command)}`)}`
}

/** `failed`: the task's own failure, where the callback was an `errorCallback`. */
export function renderCallbackFailure(
  where: ItemWhere,
  error: CallbackError,
  options: FrameOptions,
  failed?: ItemFailure,
): string {
  const task =
    failed === undefined
      ? ''
      : `${renderItemFailure(where, failed, options)}\n\nDuring handling of the above exception, another exception occurred:\n\n`
  return (
    task +
    renderChain(toErrorData(error.cause), options) +
    DIRECT_CAUSE +
    renderLocal(error, itemFrame(where))
  )
}

function remoteData(failure: Failure): ErrorData | undefined {
  if (failure.kind === 'error') return failure.error
  return failure.kind === 'crash' || failure.kind === 'oom' ? failure.escaped : undefined
}

function renderLocal(error: Error, frame: string): string {
  return `${sanitise(headerOf(error))}\n${frame}`
}

function itemFrame({ command, index, item }: ItemWhere): string {
  const shown = item === undefined ? '' : `: ${previewText(item, ITEM_CHARACTERS)}`
  return `    at ${sanitise(command)} (item ${index}${shown})`
}

/** What a dead worker left: where the job ended it, and the last it said. */
function renderDeath({ failure, workerId }: ItemFailure, options: FrameOptions): string {
  if (failure.kind !== 'crash' && failure.kind !== 'oom') return ''
  let text = ''
  const site = formatFrames(framesBelow(`\n${failure.exitSite ?? ''}`), options)
  if (site !== '') text += `\nthe job ended the process:${sanitise(site)}`
  if (failure.stderrTail.length > 0) {
    text += `\nlast stderr of worker ${workerId}:`
    for (const line of failure.stderrTail) text += `\n    | ${sanitise(line)}`
  }
  return text
}
