// The source for whatever a caller can iterate.
import type { Input } from '../types.js'
import { AsyncSource } from './async.js'
import { SyncSource } from './sync.js'
import type { ValuesSource } from './values-source.js'

/** Does not touch the input before the first `next`. */
export function openSource(input: Input<unknown>): ValuesSource {
  return isAsync(input) ? new AsyncSource(input) : new SyncSource(input)
}

export function isAsync(input: Input<unknown>): input is AsyncIterable<unknown> {
  return typeof (input as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
}

/** Whether the input already holds all its items, so that reading them later cannot block or throw. */
export function isCollection(input: Input<unknown>): boolean {
  return (
    Array.isArray(input) ||
    typeof input === 'string' ||
    input instanceof Set ||
    input instanceof Map ||
    ArrayBuffer.isView(input)
  )
}
