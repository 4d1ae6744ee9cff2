// Checks arguments and options before anything is started or sent. A wrong type is a TypeError, a number out of range a
// RangeError, and an unknown option is an error too.
import { FAILURE_KINDS, MAX_TIMER_MS } from '../defaults.js'
import { findUnsendable } from '../errors/capture/find-unserializable.js'
import { weigh } from '../errors/capture/weigh.js'
import { MAX_MESSAGE_BYTES, TooLargeError } from '../ipc/values.js'
import { closestName } from '../job/did-you-mean.js'
import type {
  ApplyOptions,
  Callbacks,
  CollectOptions,
  IterateOptions,
  MapOptions,
  NextOptions,
  PoolOptions,
} from './types.js'

/** Throws if `value` is not allowed for the option `name`. Not called for `undefined`, which means the default. */
type Check = (name: string, value: unknown) => void
type Checks<Options> = { readonly [Name in keyof Required<Options>]: Check }

const integer =
  (min: number): Check =>
  (name, value) => {
    if (!Number.isInteger(value))
      throw new TypeError(`${name} must be an integer, not ${describeValue(value)}`)
    if ((value as number) < min) throw new RangeError(`${name} must be at least ${min}, not ${value}`)
  }

const integerOrInfinity =
  (min: number): Check =>
  (name, value) => {
    if (value !== Number.POSITIVE_INFINITY) integer(min)(name, value)
  }

const duration =
  (min: 'positive' | 'may be 0', max: 'finite' | 'may be Infinity'): Check =>
  (name, value) => {
    if (typeof value !== 'number' || Number.isNaN(value))
      throw new TypeError(`${name} must be a number of milliseconds, not ${describeValue(value)}`)
    if (value < 0 || (value === 0 && min === 'positive'))
      throw new RangeError(
        `${name} must be ${min === 'may be 0' ? '0 or more' : 'more than 0'} ms, not ${value}`,
      )
    if (value > MAX_TIMER_MS && !(value === Number.POSITIVE_INFINITY && max === 'may be Infinity'))
      throw new RangeError(`${name} must be at most ${MAX_TIMER_MS} ms, not ${value}`)
  }

const rate: Check = (name, value) => {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new TypeError(`${name} must be a number of attempts per second, not ${describeValue(value)}`)
  if (value <= 0 || value === Number.POSITIVE_INFINITY || 1000 / value > MAX_TIMER_MS)
    throw new RangeError(`${name} must be a finite number above 0, not ${value}`)
}

const ofType =
  (expected: string, is: (value: unknown) => boolean): Check =>
  (name, value) => {
    if (!is(value)) throw new TypeError(`${name} must be ${expected}, not ${describeValue(value)}`)
  }

const anArray = ofType('an array', Array.isArray)
const aFunction = ofType('a function', (value) => typeof value === 'function')
const timeout = duration('positive', 'may be Infinity')
const wait = duration('may be 0', 'may be Infinity')

/** Checked here, because nobody could be told later: the arguments travel when a worker starts, not with a call. */
const initArgs: Check = (name, value) => {
  anArray(name, value)
  const bytes = weigh(value)
  // Not certain to be readable is `Infinity`; whether it is shows below.
  if (bytes > MAX_MESSAGE_BYTES && bytes < Number.POSITIVE_INFINITY)
    throw new TypeError(
      `${name} cannot be sent to a worker: ${new TooLargeError(bytes, MAX_MESSAGE_BYTES).message}`,
    )
  const part = findUnsendable(value)
  if (part === undefined) return
  const { path, message, preview } = part
  const shown = preview === '' ? '' : ` is ${preview}`
  throw new TypeError(`${name} cannot be sent to a worker: ${name}${path}${shown} (${message})`)
}

const isString = (value: unknown) => typeof value === 'string'
/** A string that a process can be given: the system ends it at the first NUL. */
const isProcessText = (value: unknown) => typeof value === 'string' && !value.includes('\0')
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const retryOn: Check = (name, value) => {
  anArray(name, value)
  const kinds: readonly unknown[] = FAILURE_KINDS
  const given = value as readonly unknown[]
  const i = given.findIndex((kind) => !kinds.includes(kind))
  if (i >= 0)
    throw new TypeError(
      `${name} must hold kinds of failure (${kinds.join(', ')}), not ${describeValue(given[i])}`,
    )
}

const retrying = { retries: integer(0), retryDelay: duration('may be 0', 'finite'), retryOn }

const apply: Checks<ApplyOptions> = {
  ...retrying,
  timeout,
  signal: ofType(
    'an AbortSignal',
    (value) => isObject(value) && 'aborted' in value && 'addEventListener' in value,
  ),
}
const map: Checks<MapOptions> = { ...apply, chunkSize: integer(1), rate }
const iterate: Checks<IterateOptions> = { ...map, bufferSize: integer(1) }
const callbacks: Checks<Callbacks<never>> = { callback: aFunction, errorCallback: aFunction }

const CHECKS = {
  pool: {
    processes: integer(1),
    initializer: ofType(
      'the name of an export of the job module',
      (value) => isString(value) && value !== '',
    ),
    initArgs,
    maxTasksPerChild: integer(1),
    concurrency: integer(1),
    ...retrying,
    timeout,
    initTimeout: duration('positive', 'finite'),
    maxWorkerRestarts: integerOrInfinity(0),
    maxMemory: integer(1),
    killAfter: duration('may be 0', 'finite'),
    env: ofType(
      'an object whose values are strings without NUL, or undefined',
      (value) =>
        isObject(value) &&
        Object.entries(value).every(
          ([name, text]) => isProcessText(name) && (text === undefined || isProcessText(text)),
        ),
    ),
    execArgv: ofType(
      'an array of strings without NUL',
      (value) => Array.isArray(value) && value.every(isProcessText),
    ),
    onWorkerOutput: aFunction,
  } satisfies Checks<PoolOptions>,
  apply,
  map,
  applyAsync: { ...apply, ...callbacks },
  mapAsync: { ...map, ...callbacks },
  iterate,
  collect: {
    ...iterate,
    onFailure: aFunction,
    unordered: ofType('a boolean', (value) => typeof value === 'boolean'),
  } satisfies Checks<CollectOptions<never>>,
  next: { timeout: wait } satisfies Checks<NextOptions>,
}

/** @returns the options, `{}` for none */
export function checkOptions<Options extends object>(
  method: keyof typeof CHECKS,
  options: Options | undefined,
): Options | Record<string, never> {
  if (options === undefined) return {}
  if (!isObject(options)) throw new TypeError(`options must be an object, not ${describeValue(options)}`)
  const checks: Readonly<Record<string, Check>> = CHECKS[method]
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined
    if (check === undefined) throw new TypeError(unknownOption(name, Object.keys(checks)))
    if (value !== undefined) check(name, value)
  }
  return options
}

/** Checks a time limit of `get`, `wait` or `next`. Returns `undefined` for no limit. */
export function checkWait(value: number | undefined): number | undefined {
  if (value === undefined) return undefined
  wait('timeout', value)
  return value === Number.POSITIVE_INFINITY ? undefined : value
}

export function checkTask(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new TypeError(`the task is named by its export, like 'default'; got ${describeValue(name)}`)
}

export function checkArguments(args: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args
  throw new TypeError(`the arguments must be an array, not ${describeValue(args)}`)
}

export function checkInput(input: unknown): asserts input is Iterable<unknown> | AsyncIterable<unknown> {
  if (input !== undefined && input !== null) {
    const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = input as AsyncIterable<unknown> &
      Iterable<unknown>
    if (typeof async === 'function' || typeof sync === 'function') return
  }
  throw new TypeError(`the items must be iterable, and ${describeValue(input)} is not`)
}

export function checkJob(job: unknown): string | URL {
  if (job instanceof URL || (typeof job === 'string' && job !== '')) return job
  throw new TypeError(`the job module must be a URL or a path, not ${describeValue(job)}`)
}

function unknownOption(name: string, options: readonly string[]): string {
  const near = closestName(name, options)
  const hint = near === undefined ? `there are ${options.join(', ')}` : `did you mean ${near}?`
  return `unknown option ${name}; ${hint}`
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`
  if (Array.isArray(value)) return 'an array'
  return isObject(value) ? 'an object' : String(value)
}
