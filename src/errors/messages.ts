// The messages of poolrun's own errors about an item: one wording for the terminal and for the library. Runs in the
// parent.

import type { ErrorData } from '../error-data.js'
import type { Failure, ItemFailure, Ms } from '../model.js'

/** Functions of the caller that are called with what an item or a call ended with. */
export type CallbackName = 'callback' | 'errorCallback' | 'onFailure'

type Of<Kind extends Failure['kind']> = Extract<Failure, { readonly kind: Kind }>

const MAX_ISSUES = 10

export function lostMessage(
  index: number,
  failure: Of<'crash' | 'oom'>,
  { workerId, pid }: ItemFailure,
): string {
  const after = `after ${formatMs(failure.afterMs)}`
  const why = failure.kind === 'oom' ? 'out of memory' : failure.killedFor && KILLED_FOR[failure.killedFor]
  return `item ${index} lost: ${workerTitle(workerId, pid)} ${howItEnded(failure, after)}${
    why === undefined ? '' : ` (${why})`
  }`
}

const KILLED_FOR: Readonly<Record<NonNullable<Of<'crash' | 'oom'>['killedFor']>, string>> = {
  channel: 'the job had written to the channel between the worker and poolrun',
  stuck: 'it sent no results, and none of its items was running',
}

function howItEnded({ exitCode, signal, because }: Of<'crash' | 'oom'>, after: string): string {
  if (because !== undefined)
    return `was ended ${after} because item ${because.index} exceeded ${formatMs(because.timeoutMs)} in it`
  if (signal === null && exitCode === null) return `was lost ${after}`
  const isEarlyReturn = signal === null && exitCode === 0
  return `${describeExit(exitCode, signal)} ${isEarlyReturn ? 'before returning' : after}`
}

export function timeoutMessage(
  index: number,
  failure: Of<'timeout'>,
  { workerId, pid }: ItemFailure,
): string {
  const { timeoutMs, ended, command } = failure
  if (command !== undefined)
    return `item ${index} exceeded ${formatMs(timeoutMs)}; the command was killed: ${command}`
  const what = ended === undefined ? '' : `; ${TIMEOUT_ENDS[ended]}`
  return `item ${index} exceeded ${formatMs(timeoutMs)} on ${workerTitle(workerId, pid)}${what}`
}

const TIMEOUT_ENDS = {
  stopped: 'it stopped at its signal',
  ended: 'the worker was ended',
  killed: 'the worker was killed',
} as const

export function encodingMessage(index: number, { side, path, preview, message }: Of<'encoding'>): string {
  const part =
    path === '' && preview === ''
      ? ''
      : `${path === '' ? 'it' : path}${preview === '' ? '' : ` is ${preview}`}`
  return `${side} of item ${index} cannot be sent: ${part === '' ? message : `${part} (${message})`}`
}

/** `location`: `file:line:column` of the first wrong character. */
export function inputMessage(index: number, failure: Of<'input'>, location: string | undefined): string {
  return `${location === undefined ? '' : `${location}: `}item ${index}: ${failure.message}`
}

export function validationMessage(index: number, { issues }: Of<'validation'>): string {
  const lines = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => `\n  ${path === '' ? '' : `${path}: `}${message}`)
  if (issues.length > MAX_ISSUES) lines.push(`\n  … and ${issues.length - MAX_ISSUES} more`)
  return `item ${index} does not fit the job's input${lines.length === 0 ? '' : ':'}${lines.join('')}`
}

export function nonErrorMessage({ typeName, preview }: Extract<ErrorData, { type: 'thrown' }>): string {
  if (typeName === 'null' || typeName === 'undefined') return `job threw ${typeName}`
  return `job threw ${/^[aeiou]/.test(typeName) ? 'an' : 'a'} ${typeName}: ${preview}`
}

/** Without `index`, the callback was called once for a whole call. */
export function callbackMessage(which: CallbackName, index: number | undefined): string {
  const forItem = index === undefined ? '' : ` for item ${index}`
  return `${which}${forItem} threw; the task itself ${which === 'callback' ? 'succeeded' : 'had failed'}`
}

export function workerTitle(workerId: number, pid: number): string {
  return `worker ${workerId} (pid ${pid})`
}

/** How a process ended, as the end of a sentence that begins with the process. */
export function describeExit(exitCode: number | null, signal: string | null): string {
  return signal === null ? `exited with code ${exitCode}` : `was killed by ${signal}`
}

/** `500 ms`, `2.5 s`, and from two minutes on `2 min 5 s`. */
export function formatMs(ms: Ms): string {
  if (ms >= 120_000) return longDuration(ms)
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`
}

/** `41 s`, `2 min 5 s`, `3 h 12 min`. */
export function longDuration(ms: Ms): string {
  const seconds = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`
  if (m > 0) return s > 0 ? `${m} min ${s} s` : `${m} min`
  return `${s} s`
}

/** `1 item`, `3 items`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
