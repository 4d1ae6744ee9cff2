// Finds the first error in a text that JSON.parse refused, because V8's own message often lacks the location. Iterative,
// so that deep nesting cannot overflow the stack.

interface JsonError {
  /** Index of the first wrong character; the text's length if the text ends too early. */
  readonly at: number
  readonly message: string
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const LITERALS = ['true', 'false', 'null']

/** What may come next. `after value`: a comma, a closing bracket or brace, or the end. */
type Expecting = 'value' | 'value or ]' | 'key' | 'key or }' | 'after value'

/** The first error; `undefined` in valid JSON. `extraValueMessage` is used if a second value follows the first. */
export function findJsonError(
  text: string,
  extraValueMessage = 'more than one JSON value on the line',
): JsonError | undefined {
  const open: ('{' | '[')[] = []
  let expecting: Expecting = 'value'
  let i = 0
  for (;;) {
    const before = i
    i = skipSpace(text, i)
    const c = text[i]
    const inside = open.at(-1)
    if (c === undefined) {
      return expecting === 'after value' && inside === undefined ? undefined : endsTooEarly(text)
    }
    if (expecting === 'after value') {
      if (inside === undefined)
        return { at: i, message: startsValue(c, i > before) ? extraValueMessage : unexpected(text, i) }
      if (c === ',') {
        expecting = inside === '{' ? 'key' : 'value'
        const next = skipSpace(text, i + 1)
        if (text[next] === closing(inside)) return { at: next, message: 'Trailing comma' }
        i++
      } else if (c === closing(inside)) {
        open.pop()
        i++
      } else return { at: i, message: `Expected ',' or '${closing(inside)}'` }
    } else if (expecting === 'key' || expecting === 'key or }') {
      if (c === '}' && expecting === 'key or }') {
        open.pop()
        expecting = 'after value'
        i++
        continue
      }
      if (c !== '"')
        return { at: i, message: `Expected a property name in double quotes${butFound(text, i)}` }
      const key = skipString(text, i)
      if (typeof key !== 'number') return key
      i = skipSpace(text, key)
      if (text[i] === undefined) return endsTooEarly(text)
      if (text[i] !== ':') return { at: i, message: "Expected ':'" }
      expecting = 'value'
      i++
    } else if (c === '{' || c === '[') {
      open.push(c)
      expecting = c === '{' ? 'key or }' : 'value or ]'
      i++
    } else if (c === ']' && expecting === 'value or ]') {
      open.pop()
      expecting = 'after value'
      i++
    } else {
      const end = skipScalar(text, i)
      if (typeof end !== 'number') return end
      i = end
      expecting = 'after value'
    }
  }
}

function skipScalar(text: string, from: number): number | JsonError {
  const c = text[from]!
  if (c === '"') return skipString(text, from)
  for (const literal of LITERALS) {
    if (literal[0] !== c) continue
    let i = 1
    while (i < literal.length && text[from + i] === literal[i]) i++
    if (i === literal.length) return from + i
    return from + i === text.length ? endsTooEarly(text) : unexpectedAt(text, from + i)
  }
  NUMBER.lastIndex = from
  const end = NUMBER.test(text) ? NUMBER.lastIndex : from
  const rest = text.slice(end, end + 3)
  // `-`, `1.` and `1e` match partly or not at all; the wrong character is the one after the sign, point or exponent.
  const dangling = /^(?:-|\.|[eE][+-]?)/.exec(rest)?.[0]
  if (dangling !== undefined && mayFollow(dangling, text.slice(from, end))) {
    const at = end + dangling.length
    return at >= text.length ? endsTooEarly(text) : unexpectedAt(text, at)
  }
  if (end === from) return unexpectedAt(text, from)
  return /\d/.test(text[end] ?? '') ? unexpectedAt(text, end) : end
}

/** Whether a sign, point or exponent may come after this much of a number. */
function mayFollow(dangling: string, number: string): boolean {
  if (dangling === '-' || number === '') return dangling === '-' && number === ''
  return dangling === '.' ? !/[.eE]/.test(number) : !/[eE]/.test(number)
}

function skipString(text: string, from: number): number | JsonError {
  for (let i = from + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) return i + 1
    if (code < 0x20) return { at: i, message: 'Bad control character in string' }
    if (code !== 0x5c) continue
    const escaped = text[++i]
    if (escaped === undefined) break
    if (escaped === 'u') {
      for (let n = 0; n < 4; n++) {
        const hex = text[++i]
        if (hex === undefined) return { at: text.length, message: 'Unterminated string' }
        if (!/[\da-fA-F]/.test(hex)) return { at: i, message: 'Bad Unicode escape in string' }
      }
    } else if (!'"\\/bfnrt'.includes(escaped)) return { at: i, message: 'Bad escape in string' }
  }
  return { at: text.length, message: 'Unterminated string' }
}

function skipSpace(text: string, from: number): number {
  let i = from
  for (;;) {
    const code = text.charCodeAt(i)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return i
    i++
  }
}

/** Whether `c` begins a second value: `{} {}` and `{}{}` are two values, `2024-01-31` is one that is wrong. */
function startsValue(c: string, spaced: boolean): boolean {
  return spaced ? /[[{"\-\dtfn]/.test(c) : /[[{"]/.test(c)
}

function closing(open: '{' | '['): string {
  return open === '{' ? '}' : ']'
}

function endsTooEarly(text: string): JsonError {
  return { at: text.length, message: 'Unexpected end of JSON' }
}

function unexpectedAt(text: string, at: number): JsonError {
  return { at, message: unexpected(text, at) }
}

function butFound(text: string, at: number): string {
  return `, found ${quoted(text, at)}`
}

function unexpected(text: string, at: number): string {
  return `Unexpected token ${quoted(text, at)}`
}

function quoted(text: string, at: number): string {
  const c = String.fromCodePoint(text.codePointAt(at)!)
  // A character that a terminal would act on, or not show, is written as its code point.
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(c)
    ? `'${c}'`
    : `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}
