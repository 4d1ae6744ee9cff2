// The remote side of a failure: where it happened, and between triple quotes, as Python's multiprocessing writes it, the
// error as it was in the worker.

import type { ErrorData } from '../../error-data.js'
import { RemoteTraceback } from '../classes.js'
import { workerTitle } from '../messages.js'
import type { FrameOptions } from '../render/frames.js'
import { renderChain } from '../render/render-error.js'
import { define, fromErrorData } from './rebuild-error.js'

export interface RemoteOrigin {
  /** What failed: `item 2`, `initializer`, `loading of the job`. */
  readonly subject: string
  readonly workerId: number
  readonly pid: number
  readonly index?: number
  readonly attempts?: number
}

export function makeRemoteTraceback(origin: RemoteOrigin, data: ErrorData): RemoteTraceback {
  const remote = new RemoteTraceback(title(origin), origin, (options) => renderRemote(origin, data, options))
  if (data.type === 'error' && data.cause !== undefined)
    define(remote, 'cause', fromErrorData(data.cause), false)
  return remote
}

export function renderRemote(origin: RemoteOrigin, data: ErrorData, options: FrameOptions = {}): string {
  const excerpt = options.excerpt?.(data) ?? ''
  const sourceLines = excerpt === '' ? '' : `\n\n${excerpt}`
  return `RemoteTraceback: ${title(origin)}\n"""\n${renderChain(data, options)}\n"""${sourceLines}`
}

function title({ subject, workerId, pid, attempts = 1 }: RemoteOrigin): string {
  return `${subject}, ${workerTitle(workerId, pid)}${attempts > 1 ? `, attempt ${attempts}` : ''}`
}
