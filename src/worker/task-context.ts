// What a task is told about itself: the context argument, and `currentTask()` for functions that get none.
// Shared by the worker, which sets it, and the public library, which reads it; they may be two copies of this module,
// so they meet at a registered symbol.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Calling } from '../model.js'

/** What a task knows of the item it works on. */
export interface TaskContext {
  /** Place of the item in the whole input, from 0. */
  readonly index: number
  /** 1 for the first attempt. */
  readonly attempt: number
  /** 0 … processes − 1; a replacement has the id of the worker it replaces. */
  readonly workerId: number
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

/** The context's other side: what the worker does with it. */
export class Context implements TaskContext {
  readonly index: number
  readonly attempt: number
  readonly workerId: number
  #controller: AbortController | undefined
  /** Why it was aborted before anyone looked. */
  #aborted: DOMException | undefined

  constructor(index: number, attempt: number, workerId: number) {
    this.index = index
    this.attempt = attempt
    this.workerId = workerId
  }

  /** Made when first looked at: an AbortController costs more than a cheap task. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted)
    }
    return this.#controller.signal
  }

  /** Nobody who never looked at the signal can be waiting for it. */
  get listens(): boolean {
    return this.#controller !== undefined
  }

  abort(reason: string): void {
    this.#aborted = new DOMException(reason, 'AbortError')
    this.#controller?.abort(this.#aborted)
  }
}

export type Task = (...args: unknown[]) => unknown

/** Calls a task with its item, as the one that `context` tells of. */
export type InvokeTask = (context: Context, task: Task, calling: Calling, item: unknown) => unknown

/** Of the item that runs, where one runs at a time: a variable tells, and costs nothing. */
export const running: { context: Context | undefined } = { context: undefined }

/** The item is over; nothing runs inside a task until the next one begins. */
export function leaveTask(): void {
  running.context = undefined
}

/** Makes `currentTask()` work in this process; gives what calls a task inside its context. */
export function installCurrentTask(concurrency: number): InvokeTask {
  running.context = undefined
  if (concurrency === 1) {
    // What an item leaves behind sees the next one's.
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

export function asArguments(item: unknown): readonly unknown[] {
  if (Array.isArray(item)) return item
  throw new TypeError('starmap calls the task with the elements of each item, and this item is no array')
}
