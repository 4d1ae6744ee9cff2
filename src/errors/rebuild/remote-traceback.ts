// The remote side of a failure: who said it, and what, between quotes as Python writes it. Knows nothing of the local
// error that it is the cause of.

import type { ErrorData } from '../../error-data.js'
import { RemoteTraceback } from '../classes.js'
import { workerTitle } from '../messages.js'
import type { FrameOptions } from '../render/frames.js'
import { renderChain } from '../render/render-error.js'
import { define, fromErrorData } from './rebuild-error.js'

export interface RemotePlace {
  /** `item 2`, `initializer`, `loading of the job` */
  readonly subject: string
  readonly workerId: number
  readonly pid: number
  readonly index?: number
  readonly attempts?: number
}

export function makeRemoteTraceback(place: RemotePlace, data: ErrorData): RemoteTraceback {
  const remote = new RemoteTraceback(title(place), place, (options) => renderRemote(place, data, options))
  if (data.type === 'error' && data.cause !== undefined)
    define(remote, 'cause', fromErrorData(data.cause), false)
  return remote
}

export function renderRemote(place: RemotePlace, data: ErrorData, options: FrameOptions = {}): string {
  const excerpt = options.excerpt?.(data) ?? ''
  const below = excerpt === '' ? '' : `\n\n${excerpt}`
  return `RemoteTraceback: ${title(place)}\n"""\n${renderChain(data, options)}\n"""${below}`
}

function title({ subject, workerId, pid, attempts = 1 }: RemotePlace): string {
  return `${subject}, ${workerTitle(workerId, pid)}${attempts > 1 ? `, attempt ${attempts}` : ''}`
}
