// Makes any value fit to cross a process boundary: itself, a dead copy of it, or a preview. Runs job code only through
// getters and proxies of the value, and outlives what they throw.

import { truncate } from '../truncate.js'
import { isArray } from './builtins.js'
import type { Limits } from './limits.js'
import { captured } from './node-builtins.js'

const PREVIEW_CHARACTERS = 200
/** `customInspect` would run job code. */
const PREVIEW = {
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
      return limits.fits(value.length) ? { cloned: true, value } : NOT_CLONED
    case 'object':
      return value === null ? { cloned: true, value } : deadCopy(value, limits)
    default:
      return { cloned: true, value }
  }
}

/** The channel would run getters a second time, which may then throw: what travels is a copy that has none. */
function deadCopy(value: object, limits: Limits): Cloneable {
  try {
    const bytes = captured.serialize(value)
    return limits.fits(bytes.byteLength) ? { cloned: true, value: captured.deserialize(bytes) } : NOT_CLONED
  } catch {
    return NOT_CLONED
  }
}

export function previewValue(value: unknown): string {
  try {
    const text = captured.inspect(value, PREVIEW)
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
