// Renders error data as text: header, frames, properties, aggregated errors, and the causes, oldest first.
import { inspect } from 'node:util'
import type { ErrorData } from '../../error-data.js'
import { headerOf } from '../stacks.js'
import { type FrameOptions, formatFrames } from './frames.js'
import { sanitise } from './sanitise.js'

type NonErrorData = Extract<ErrorData, { type: 'thrown' }>

export const DIRECT_CAUSE = '\n\nThe above exception was the direct cause of the following exception:\n\n'
const PROPS_OPTIONS = {
  depth: 2,
  breakLength: 100,
  maxArrayLength: 20,
  maxStringLength: 200,
  customInspect: false,
} as const

/** The whole `cause` chain, oldest first, joined as in a Python traceback. */
export function renderChain(data: ErrorData, options: FrameOptions): string {
  const links: string[] = []
  for (let link: ErrorData | undefined = data; link !== undefined; link = causeOf(link)) {
    links.push(link !== data && isPlainObject(link) ? sanitise(link.preview) : renderOne(link, options))
  }
  return links.reverse().join(DIRECT_CAUSE)
}

function renderOne(data: ErrorData, options: FrameOptions): string {
  if (data.type === 'thrown') return renderNonError(data)
  const parts = [sanitise(headerOf(data)) + sanitise(formatFrames(data.frames, options)) + renderProps(data)]
  const errors = data.errors ?? []
  for (const [i, error] of errors.entries()) {
    parts.push(indent(`[${i + 1}/${errors.length}] ${renderBranch(error, options)}`, 2))
  }
  return parts.join('\n')
}

/** In a tree the cause comes after the error it caused: before it, it would look like part of the previous branch. */
function renderBranch(data: ErrorData, options: FrameOptions): string {
  const cause = causeOf(data)
  const own = isPlainObject(data) ? sanitise(data.preview) : renderOne(data, options)
  return cause === undefined ? own : `${own}\n${indent(`caused by: ${renderBranch(cause, options)}`, 4)}`
}

function renderNonError({ preview, typeName, omitted }: NonErrorData): string {
  const text = sanitise(preview)
  return omitted === true ? text : `thrown: ${text} (${typeName}; not an Error, so no stack)`
}

/** As a cause or an inner error, it need not have been thrown: `{ cause: { status: 404 } }` only adds information. */
function isPlainObject(data: ErrorData): data is NonErrorData {
  return data.type === 'thrown' && (data.typeName === 'object' || data.typeName === 'array')
}

/** Empty if there are no properties. */
function renderProps({ name, props }: Extract<ErrorData, { type: 'error' }>): string {
  if (Object.keys(props).length === 0) return ''
  if (name === 'CommandError' && Array.isArray(props.stderrTail))
    return props.stderrTail.map((line) => `\n    | ${sanitise(String(line))}`).join('')
  return `\n${indent(sanitise(inspect({ ...props }, PROPS_OPTIONS)), 2)}`
}

function causeOf(data: ErrorData): ErrorData | undefined {
  return data.type === 'error' ? data.cause : undefined
}

function indent(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by))
}
