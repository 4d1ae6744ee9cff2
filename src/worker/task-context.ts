// The context of a task: the context argument, and `currentTask()` for functions that get none.
// Shared by the worker, which sets it, and the public library, which reads it. They may be two copies of this module, so
// a registered symbol connects them.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Calling } from '../model.js'

/** Facts about the item a task works on. */
export interface TaskContext {
  /** Index of the item in the whole input, from 0. */
  readonly index: number
  /** 1 for the first attempt. */
  readonly attempt: number
  /** 0 … processes − 1; a replacement has the id of the worker it replaces. */
  readonly workerId: number
  /** What `--param` gave, frozen; empty in the library. */
  readonly params: Readonly<Record<string, unknown>>
  /** Aborts when the item is cancelled or has timed out. */
  readonly signal: AbortSignal
}

const KEY = Symbol.for('poolrun.currentTask')
type Registry = { [KEY]?: () => TaskContext | undefined }

/**
 * The context of the task that calls this, anywhere inside it; the counterpart of the second argument for `starmap`
 * and `apply`, whose functions receive only their own arguments.
 * @throws Error outside a task.
 */
export function currentTask(): TaskContext {
  const context = (globalThis as Registry)[KEY]?.()
  if (context === undefined) throw new Error('currentTask() was called outside a task of a poolrun worker')
  return context
}

/** The context with what only the worker uses. */
export class Context implements TaskContext {
  readonly index: number
  readonly attempt: number
  readonly workerId: number
  #controller: AbortController | undefined
  /** The reason, once it was aborted. */
  #aborted: DOMException | undefined

  constructor(index: number, attempt: number, workerId: number) {
    this.index = index
    this.attempt = attempt
    this.workerId = workerId
  }

  /** The same for every task of a worker, so not a field that each context would have to be given. */
  get params(): Readonly<Record<string, unknown>> {
    return paramsOfWorker
  }

  /** Made on first access: an AbortController costs more than a cheap task. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted)
    }
    return this.#controller.signal
  }

  /** The task has read its signal, and so may be waiting for it. */
  get listens(): boolean {
    return this.#controller !== undefined
  }

  /** The first reason stays. */
  abort(reason: string, name: 'AbortError' | 'TimeoutError'): void {
    this.#aborted ??= new DOMException(reason, name)
    this.#controller?.abort(this.#aborted)
  }
}

export type Task = (...args: unknown[]) => unknown

/** Calls a task with its item, in its context. */
export type InvokeTask = (context: Context, task: Task, calling: Calling, item: unknown) => unknown

/** The context of the running item, where one runs at a time: a variable costs less than an AsyncLocalStorage. */
export const running: { context: Context | undefined } = { context: undefined }

/** The item has settled: until the next one starts, nothing runs inside a task. */
export function leaveTask(): void {
  running.context = undefined
}

let paramsOfWorker: Readonly<Record<string, unknown>> = Object.freeze({})

/** Makes `currentTask()` work in this process. Returns the function that calls a task in its context. */
export function installCurrentTask(
  concurrency: number,
  params: Readonly<Record<string, unknown>> = {},
): InvokeTask {
  paramsOfWorker = deepFreeze(params)
  running.context = undefined
  if (concurrency === 1) {
    // Code that an item left running sees the context of the next one.
    ;(globalThis as Registry)[KEY] = () => running.context
    return (context, task, calling, item) => {
      running.context = context
      return call(context, task, calling, item)
    }
  }
  const storage = new AsyncLocalStorage<Context>()
  ;(globalThis as Registry)[KEY] = () => storage.getStore()
  return (context, task, calling, item) => storage.run(context, call, context, task, calling, item)
}

const call: InvokeTask = (context, task, calling, item) =>
  calling === 'item' ? task(item, context) : task(...asArguments(item))

/** One task must not change what the next one is given. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

export function asArguments(item: unknown): readonly unknown[] {
  if (Array.isArray(item)) return item
  throw new TypeError('starmap calls the task with the elements of each item, and this item is not an array')
}
