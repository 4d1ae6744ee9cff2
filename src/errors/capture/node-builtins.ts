// What `captured.ts` is for globals, for Node's own modules. A file of its own: node:v8 takes milliseconds to load, and
// `--help` needs none of it.
import { inspect, types } from 'node:util'
import { deserialize, serialize } from 'node:v8'

/** Copies: the imports themselves follow what a job assigns to these modules. */
export const captured = { deserialize, inspect, serialize } as const
export const { isNativeError } = types
