// What an error carries beside its name, message, stack and cause, as data that travels. Knows nothing of the rest.
import { create, freeze, ownKeys } from './builtins.js'
import { hasOwn, read, UNREADABLE } from './inspect-error.js'
import { type Limits, MAX_PROPS } from './limits.js'
import { previewValue, toCloneable } from './to-cloneable.js'

type Props = Readonly<Record<string, unknown>>

/** One object for all errors that have none: most. */
export const NO_PROPS: Props = freeze({})
/** Worth having where a class defines them; DOMException derives its `code` from its name and is rebuilt with it. */
const INHERITED = ['code', 'status'] as const

/** `hasErrors`: its `errors` travel as errors, not here. */
export function errorProperties(error: object, builtin: string, hasErrors: boolean, limits: Limits): Props {
  // Without a prototype, so that `__proto__` is a key like any other.
  let props: Record<string, unknown> | undefined
  const keys = keysOf(error)
  let count = 0
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (typeof key !== 'string' || isOwnField(key) || (hasErrors && key === 'errors')) continue
    props ??= create(null) as Record<string, unknown>
    if (count++ === MAX_PROPS) {
      props['…'] = '[more properties]'
      break
    }
    props[limits.text(key)] = portableOrPreview(read(error, key), limits)
  }
  if (builtin === 'DOMException') return props ?? NO_PROPS
  for (let i = 0; i < INHERITED.length; i++) {
    const key = INHERITED[i]!
    const value = read(error, key)
    if ((typeof value === 'string' || typeof value === 'number') && !hasOwn(error, key)) {
      props ??= create(null) as Record<string, unknown>
      props[key] = portableOrPreview(value, limits)
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

/** What travels in a field of its own. */
function isOwnField(key: string): boolean {
  return key === 'stack' || key === 'message' || key === 'name' || key === 'cause'
}

function portableOrPreview(value: unknown, limits: Limits): unknown {
  if (value === UNREADABLE) return '[cannot be read]'
  const copy = toCloneable(value, limits)
  return copy.cloned ? copy.value : previewValue(value)
}
