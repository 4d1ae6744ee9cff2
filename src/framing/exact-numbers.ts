// JSON whose numbers keep all their digits. A command is given an item as text, and JavaScript rounds numbers of more than
// about 16 digits: an id would become that of another row, and 1e400 would become null.

/**
 * Holds a number as it was written, where JavaScript would round it. A symbol, so that `{item.…}` cannot reach it; a registered
 * one, because several files of dist/ contain this module.
 */
const WRITTEN = Symbol.for('poolrun.number')
type WrittenNumber = { readonly [WRITTEN]: string }

/** Begins a string that stands for such a number. Random, so that no item contains it. */
const MARK = `number ${Math.random().toString(36)} `
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g')
const MAY_BE_ROUNDED = /\d[\d.]{15}|\d[eE][+-]?\d{3}/
/** Quotes as well, because digits in strings are text. A pattern for whole strings would overflow the stack at a long one. */
const QUOTES_AND_NUMBERS = /\\.|"|-?\d[\d.eE+-]*/g

/** As `JSON.parse`, for `stringifyKeepingNumbers`. @throws SyntaxError */
export function parseKeepingNumbers(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  if (!MAY_BE_ROUNDED.test(text)) return parsed
  let isInString = false
  const marked = text.replace(QUOTES_AND_NUMBERS, (token) => {
    if (token === '"') isInString = !isInString
    const isNumber = !isInString && token !== '"'
    return isNumber && isRounded(token) ? `"${MARK}${token}"` : token
  })
  if (marked === text) return parsed
  try {
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? { [WRITTEN]: value.slice(MARK.length) } : value,
    )
  } catch {
    // Nested too deeply for a reviver, or too long with the marks.
    return parsed
  }
}

export function stringifyKeepingNumbers(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null'
  // Such a number has become `{}`. A replacer, which keeps it, takes several times as long.
  if (!json.includes('{}')) return json
  const marked = JSON.stringify(value, (_key, part: unknown) =>
    isWritten(part) ? MARK + part[WRITTEN] : part,
  )
  return marked.replace(MARKED, '$1')
}

function isWritten(value: unknown): value is WrittenNumber {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, WRITTEN)
}

function isRounded(number: string): boolean {
  return significantDigits(number) !== significantDigits(String(Number(number)))
}

function significantDigits(number: string): string {
  return number
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '')
}
