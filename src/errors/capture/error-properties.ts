// The properties of an error other than name, message, stack and cause, as data that can be cloned.
import { create, freeze, ownKeys } from './builtins.js'
import { hasOwn, read, UNREADABLE } from './inspect-error.js'
import { type Limits, MAX_PROPS } from './limits.js'
import { previewValue, toCloneable } from './to-cloneable.js'

type Props = Readonly<Record<string, unknown>>

/** Shared by all errors without properties, which are most. */
export const NO_PROPS: Props = freeze({})
/** Also kept where a class defines them. Not for DOMException: its `code` follows from its name when it is rebuilt. */
const INHERITED = ['code', 'status'] as const

/** `hasErrors`: its `errors` travel as errors in a field of their own, so they are skipped here. */
export function errorProperties(error: object, builtin: string, hasErrors: boolean, limits: Limits): Props {
  // Without a prototype, so that `__proto__` is a key like any other.
  let props: Record<string, unknown> | undefined
  const keys = keysOf(error)
  let count = 0
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (typeof key !== 'string' || isErrorDataField(key) || (hasErrors && key === 'errors')) continue
    props ??= create(null) as Record<string, unknown>
    if (count++ === MAX_PROPS) {
      props['…'] = '[more properties]'
      break
    }
    props[limits.truncate(key)] = cloneOrPreview(read(error, key), limits)
  }
  if (builtin === 'DOMException') return props ?? NO_PROPS
  for (let i = 0; i < INHERITED.length; i++) {
    const key = INHERITED[i]!
    const value = read(error, key)
    if ((typeof value === 'string' || typeof value === 'number') && !hasOwn(error, key)) {
      props ??= create(null) as Record<string, unknown>
      props[key] = cloneOrPreview(value, limits)
    }
  }
  return props ?? NO_PROPS
}

function keysOf(error: object): (string | symbol)[] {
  try {
    return ownKeys(error)
  } catch {
    return []
  }
}

/** Properties that `ErrorData` has a field for. */
function isErrorDataField(key: string): boolean {
  return key === 'stack' || key === 'message' || key === 'name' || key === 'cause'
}

function cloneOrPreview(value: unknown, limits: Limits): unknown {
  if (value === UNREADABLE) return '[cannot be read]'
  const copy = toCloneable(value, limits)
  return copy.cloned ? copy.value : previewValue(value)
}
