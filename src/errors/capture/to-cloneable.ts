// Makes any value fit to cross a process boundary: the value itself, a copy of it, or a preview. The only job code that
// runs here is the value's own getters and proxy traps, and what they throw is caught.

import { isArray } from './builtins.js'
import type { Limits } from './limits.js'
import { deserialize, inspect, serialize } from './node-builtins.js'
import { truncate } from './truncate.js'
import { weigh } from './weigh.js'

const PREVIEW_CHARACTERS = 200
/** Without `customInspect`, which would run job code. */
const PREVIEW_OPTIONS = {
  depth: 2,
  customInspect: false,
  breakLength: Number.POSITIVE_INFINITY,
  compact: true,
  maxArrayLength: 20,
  maxStringLength: PREVIEW_CHARACTERS,
} as const

type Cloneable = { readonly cloned: true; readonly value: unknown } | { readonly cloned: false }

const NOT_CLONED: Cloneable = { cloned: false }

export function toCloneable(value: unknown, limits: Limits): Cloneable {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      return NOT_CLONED
    case 'string':
      return limits.tryTake(value.length) ? { cloned: true, value } : NOT_CLONED
    case 'object':
      return value === null ? { cloned: true, value } : copyOf(value, limits)
    default:
      return { cloned: true, value }
  }
}

/** A copy without getters: the channel would run them a second time, and they may throw then. */
function copyOf(value: object, limits: Limits): Cloneable {
  try {
    const bytes = serialize(value)
    if (!limits.tryTake(bytes.byteLength)) return NOT_CLONED
    const copy: unknown = deserialize(bytes)
    // Here it could be read. In the parent, the stack may be smaller.
    return weigh(copy) < Number.POSITIVE_INFINITY ? { cloned: true, value: copy } : NOT_CLONED
  } catch {
    return NOT_CLONED
  }
}

export function previewValue(value: unknown): string {
  try {
    const text = inspect(value, PREVIEW_OPTIONS)
    return text.length <= PREVIEW_CHARACTERS ? text : `${truncate(text, PREVIEW_CHARACTERS - 1)}…`
  } catch {
    return `[${typeof value} that cannot be shown]`
  }
}

export function typeNameOf(value: unknown): string {
  if (value === null) return 'null'
  try {
    return isArray(value) ? 'array' : typeof value
  } catch {
    return 'object' // a revoked proxy
  }
}
