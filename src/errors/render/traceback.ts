// The text people read when something failed: the remote block, the joining sentence, the local error. Without colour;
// everything that came from a job is sanitised.

import type { ErrorData } from '../../error-data.js'
import type { Failure, ItemFailure } from '../../model.js'
import { toErrorData } from '../capture/to-error-data.js'
import { type CallbackError, type PoolError, RemoteTraceback } from '../classes.js'
import { itemOrigin, makeItemError } from '../rebuild/item-error.js'
import { renderRemote } from '../rebuild/remote-traceback.js'
import { framesAfterHeader, headerOf } from '../stacks.js'
import { type FrameOptions, formatFrames } from './frames.js'
import { DIRECT_CAUSE, renderChain } from './render-error.js'
import { previewText, sanitise } from './sanitise.js'

/** Rendered instead of the local stack, which a command line does not have. */
export interface CommandContext {
  /** `poolrun map jobs/fail2.ts` */
  readonly command: string
}

export interface ItemContext extends CommandContext {
  readonly index: number
  /** The item's text; truncated when it is rendered. */
  readonly item?: string | undefined
  /** `file:line:column` of the first wrong character, for failures of kind `input`. */
  readonly location?: string | undefined
}

const ITEM_CHARACTERS = 60

/** Like every text made here, without a line end at the end. */
export function renderItemFailure(context: ItemContext, failed: ItemFailure, options: FrameOptions): string {
  const { earlier, attempts } = failed
  const before =
    earlier === undefined
      ? ''
      : `${renderAttempts(context, earlier, attempts, options)}\n\n${attemptHeading(attempts, attempts)}\n`
  const remote = renderRemoteSide(context, failed, options)
  const local = renderLocal(makeItemError(context, failed), itemFrame(context))
  return before + (remote === '' ? '' : remote + DIRECT_CAUSE) + local + renderCrashDetails(failed, options)
}

/**
 * The first of `total` attempts at an item, oldest first. Each without the local frame, which would be the same for all.
 */
export function renderAttempts(
  context: ItemContext,
  attempts: readonly ItemFailure[],
  total: number,
  options: FrameOptions,
): string {
  return attempts
    .map((failed) => `${attemptHeading(failed.attempts, total)}\n${renderAttempt(context, failed, options)}`)
    .join('\n\n')
}

function attemptHeading(attempt: number, total: number): string {
  return `attempt ${attempt} of ${total} failed:`
}

function renderAttempt(context: ItemContext, failed: ItemFailure, options: FrameOptions): string {
  // One excerpt is enough: attempts mostly fail at the same location.
  const remote = renderRemoteSide(context, failed, { ...options, excerpt: undefined })
  // What the job threw is complete in the remote block; only poolrun's own errors add to it.
  if (failed.failure.kind === 'error') return remote
  const local = sanitise(headerOf(makeItemError(context, failed))) + renderCrashDetails(failed, options)
  return remote === '' ? local : remote + DIRECT_CAUSE + local
}

function renderRemoteSide({ index }: ItemContext, failed: ItemFailure, options: FrameOptions): string {
  const data = remoteData(failed.failure)
  return data === undefined ? '' : renderRemote(itemOrigin(index, failed), data, options)
}

/** An error that ended the whole run: `InitializerError`, `JobError`, `PoolBrokenError`. */
export function renderPoolError(context: CommandContext, error: PoolError, options: FrameOptions): string {
  const remote = error.cause instanceof RemoteTraceback ? error.cause.render(options) + DIRECT_CAUSE : ''
  return `${remote}${renderLocal(error, `    at ${sanitise(context.command)}`)}`
}

/** `failed`: the task's own failure, where the callback was an `errorCallback`. */
export function renderCallbackFailure(
  context: ItemContext,
  error: CallbackError,
  options: FrameOptions,
  failed?: ItemFailure,
): string {
  const task =
    failed === undefined
      ? ''
      : `${renderItemFailure(context, failed, options)}\n\nDuring handling of the above exception, another exception occurred:\n\n`
  return task + renderWithCause(error, itemFrame(context), options)
}

/** What the module of `--callbacks` threw outside of its callbacks. */
export function renderCallbackError(
  { command }: CommandContext,
  error: CallbackError,
  options: FrameOptions,
): string {
  return renderWithCause(error, `    at ${sanitise(command)}`, options)
}

function renderWithCause(error: CallbackError, frame: string, options: FrameOptions): string {
  return renderChain(toErrorData(error.cause), options) + DIRECT_CAUSE + renderLocal(error, frame)
}

function remoteData(failure: Failure): ErrorData | undefined {
  if (failure.kind === 'error') return failure.error
  return failure.kind === 'crash' || failure.kind === 'oom' ? failure.escaped : undefined
}

function renderLocal(error: Error, frame: string): string {
  return `${sanitise(headerOf(error))}\n${frame}`
}

function itemFrame({ command, index, item }: ItemContext): string {
  const text = item === undefined ? '' : `: ${previewText(item, ITEM_CHARACTERS)}`
  return `    at ${sanitise(command)} (item ${index}${text})`
}

/** Where the job ended its process, and the last lines the worker wrote to stderr. */
function renderCrashDetails({ failure, workerId }: ItemFailure, options: FrameOptions): string {
  if (failure.kind !== 'crash' && failure.kind !== 'oom') return ''
  let text = ''
  const frames = formatFrames(framesAfterHeader(`\n${failure.exitSite ?? ''}`), options)
  if (frames !== '') text += `\nthe job ended the process:${sanitise(frames)}`
  if (failure.stderrTail.length > 0) {
    text += `\nlast stderr of worker ${workerId}:`
    for (const line of failure.stderrTail) text += `\n    | ${sanitise(line)}`
  }
  return text
}
