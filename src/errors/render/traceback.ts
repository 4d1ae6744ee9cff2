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
  const remote = renderRemoteSide(context, failed, options)
  const local = renderLocal(makeItemError(context, failed), itemFrame(context))
  const last = (remote === '' ? '' : remote + DIRECT_CAUSE) + local + renderCrashDetails(failed, options)
  if (earlier === undefined) return last
  const groups = groupAttempts([...earlier, failed], options)
  const before = groups.slice(0, -1).map((group) => `${renderGroup(context, group, attempts, options)}\n\n`)
  return `${before.join('')}${attemptHeading(groups.at(-1)!, attempts)}\n${last}`
}

/** Failed attempts of `total` at an item. Each without the local frame, which would be the same for all. */
export function renderAttempts(
  context: ItemContext,
  attempts: readonly ItemFailure[],
  total: number,
  options: FrameOptions,
): string {
  return groupAttempts(attempts, options)
    .map((group) => renderGroup(context, group, total, options))
    .join('\n\n')
}

/** Attempts that failed with the same text, apart from where and when; in the order of the last one of each group. */
function groupAttempts(attempts: readonly ItemFailure[], options: FrameOptions): ItemFailure[][] {
  const groups = new Map<string, ItemFailure[]>()
  for (const failed of attempts) {
    const key = attemptKey(failed.failure, options)
    const group = groups.get(key) ?? []
    groups.delete(key)
    groups.set(key, [...group, failed])
  }
  return [...groups.values()]
}

function attemptKey(failure: Failure, options: FrameOptions): string {
  const data = remoteData(failure)
  const remote = data && renderChain(data, { ...options, excerpt: undefined })
  return JSON.stringify({ ...failure, error: remote, escaped: remote, afterMs: undefined })
}

function renderGroup(
  context: ItemContext,
  group: readonly ItemFailure[],
  total: number,
  options: FrameOptions,
): string {
  return `${attemptHeading(group, total)}\n${renderAttempt(context, group.at(-1)!, options)}`
}

/** `attempt 2 of 5 failed:`, `attempts 1–3, 5 of 6 failed, each with:`, `failed 4 times, each with:` */
function attemptHeading(group: readonly ItemFailure[], total: number): string {
  if (total > 1 && group.length === total) return `failed ${total} times, each with:`
  const numbers = rangesText(group.map(({ attempts }) => attempts))
  return group.length === 1
    ? `attempt ${numbers} of ${total} failed:`
    : `attempts ${numbers} of ${total} failed, each with:`
}

/** `1–3, 5` for ascending numbers. */
function rangesText(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = []
  for (const number of numbers) {
    const range = ranges.at(-1)
    if (range?.[1] === number - 1) range[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join(', ')
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
  // An errorCallback that throws what it was given: the task's failure is its cause.
  if (failed !== undefined && error.cause === error.error)
    return renderItemFailure(context, failed, options) + DIRECT_CAUSE + renderLocal(error, itemFrame(context))
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
