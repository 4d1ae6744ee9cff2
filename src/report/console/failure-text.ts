// The text on stderr for a failed item, a callback that threw, or an error that ended the run: looks up the item's text
// and location, and renders the traceback.
import { toErrorData } from '../../errors/capture/to-error-data.js'
import { CallbackError, InitializerError, PoolError, RemoteTraceback } from '../../errors/classes.js'
import { environmentProblem } from '../../errors/environment.js'
import { ItemCallbackError } from '../../errors/rebuild/item-callback-error.js'
import { makeItemError } from '../../errors/rebuild/item-error.js'
import type { FrameOptions } from '../../errors/render/frames.js'
import { renderChain } from '../../errors/render/render-error.js'
import { previewText, sanitise } from '../../errors/render/sanitise.js'
import {
  type ItemContext,
  renderAttempts,
  renderCallbackError,
  renderCallbackFailure,
  renderItemFailure,
  renderPoolError,
} from '../../errors/render/traceback.js'
import { itemText } from '../../framing/items.js'
import { locate, locationText } from '../../framing/location.js'
import { type Failure, type ItemFailure, itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { RunPlan } from '../../plan.js'
import { placeText, sourceLocationOf } from '../source-location.js'

const MAX_HEADLINE_CHARACTERS = 200

interface FailureTextOptions extends FrameOptions {
  readonly plan: Pick<RunPlan, 'command' | 'job'>
}

type FailedEvent = Extract<RunEvent, { type: 'item-failed' }>

export interface FailureText {
  /** The lines of the source where it failed are shown with the first one of a place. */
  failure(event: FailedEvent, isFirst?: boolean): string
  /** Its error in one line. */
  headline(event: FailedEvent): string
  /** `file:line` of the job where it failed, relative to the working directory, if that is known. */
  place(failure: Failure): string | undefined
  /** What the earlier attempts of an item failed with that succeeded in the end. */
  flaky(settled: SettledRange, attempts: readonly ItemFailure[]): string
  /** For an error that ended the whole run. */
  fault(error: unknown): string
}

export function createFailureText({ plan, ...frames }: FailureTextOptions): FailureText {
  const { path, exportName } = plan.job
  const command = `poolrun ${plan.command} ${path}${exportName === 'default' ? '' : `#${exportName}`}`

  const where = ({ chunk }: SettledRange, offset: number, failure?: Failure): ItemContext => {
    const { payload } = chunk
    const item = payload.kind === 'bytes' ? itemText(payload, offset) : String(payload.values[offset])
    const location = failure?.kind === 'input' ? locationText(locate(chunk, offset, failure.at)) : undefined
    return { command, index: itemIndexAt(chunk, offset), item, location }
  }

  return {
    failure: ({ settled, failure }, isFirst = true) =>
      renderItemFailure(
        where(settled, failure.offset, failure.failure),
        failure,
        isFirst ? frames : { ...frames, excerpt: undefined },
      ),
    headline({ settled, failure: failed }) {
      const { failure } = failed
      // Without making an error: there may be many thousands of them.
      const { name, message } =
        failure.kind === 'error' && failure.error.type === 'error'
          ? failure.error
          : makeItemError(where(settled, failed.offset, failure), failed)
      return previewText(`${name}: ${message.split('\n', 1)[0]}`, MAX_HEADLINE_CHARACTERS)
    },
    place(failure) {
      const location = sourceLocationOf(failure, frames)
      return location && placeText(location, frames.cwd)
    },
    flaky: (settled, attempts) =>
      renderAttempts(where(settled, settled.from), attempts, attempts.length + 1, frames),
    fault(error) {
      if (error instanceof ItemCallbackError) {
        const { settled, offset, failure } = error
        return renderCallbackFailure(where(settled, offset), error.error, frames, failure)
      }
      if (error instanceof CallbackError) return renderCallbackError({ command }, error, frames)
      // Without a remote traceback, a block would add nothing to the sentence.
      if (error instanceof PoolError && !(error.cause instanceof RemoteTraceback))
        return `poolrun ${plan.command}: ${error instanceof InitializerError ? `${error.name}: ` : ''}${sanitise(error.message)}`
      if (error instanceof PoolError) return renderPoolError({ command }, error, frames)
      const problem = environmentProblem(error)
      if (problem !== undefined) return `poolrun ${plan.command}: ${sanitise(problem)}`
      return `poolrun: this is a bug in poolrun, please report it\n${renderChain(toErrorData(error), { ...frames, fullStack: true })}`
    },
  }
}
