// Expands braces as bash does: `{a,b}`, `{1..12}`, `{01..12}`, `{a..e}`, `{1..10..3}`, nested ones too. Braces that are
// neither a list nor a range stay as they are, and so does what a backslash protects.

/** More than this is a typing error, and would fill the memory. */
const MAX_EXPANSIONS = 1_000_000

/** @throws RangeError if there are too many */
export function expandBraces(pattern: string): string[] {
  const group = firstGroup(pattern)
  if (group === undefined) return [pattern]
  const before = pattern.slice(0, group.start)
  const alternatives = group.range ?? group.parts.flatMap(expandBraces)
  const rest = expandBraces(pattern.slice(group.end))
  if (alternatives.length * rest.length > MAX_EXPANSIONS) throw tooMany(pattern)
  return alternatives.flatMap((middle) => rest.map((after) => before + middle + after))
}

interface Group {
  readonly start: number
  /** After the closing brace. */
  readonly end: number
  /** Between the commas. */
  readonly parts: readonly string[]
  readonly range: readonly string[] | undefined
}

/** The first braces that are a list or a range. */
function firstGroup(pattern: string): Group | undefined {
  for (let start = nextAt(pattern, 0, '{'); start !== -1; start = nextAt(pattern, start + 1, '{')) {
    // In the shell `${` begins a variable; bash leaves it alone here, too.
    if (pattern[start - 1] === '$') continue
    const group = groupAt(pattern, start)
    if (group !== undefined) return group
  }
  return undefined
}

function groupAt(pattern: string, start: number): Group | undefined {
  const parts: string[] = []
  let depth = 0
  let partStart = start + 1
  for (let at = start; at < pattern.length; at++) {
    const char = pattern[at]
    if (char === '\\') at++
    else if (char === '{') depth++
    else if (char === ',' && depth === 1) {
      parts.push(pattern.slice(partStart, at))
      partStart = at + 1
    } else if (char === '}' && --depth === 0) {
      parts.push(pattern.slice(partStart, at))
      const range = parts.length === 1 ? rangeOf(parts[0]!) : undefined
      return parts.length > 1 || range !== undefined ? { start, end: at + 1, parts, range } : undefined
    }
  }
  return undefined
}

function nextAt(text: string, from: number, char: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === char) return at
  }
  return -1
}

const NUMBERS = /^([+-]?\d{1,15})\.\.([+-]?\d{1,15})(?:\.\.([+-]?\d{1,15}))?$/
const LETTERS = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.([+-]?\d{1,15}))?$/

function rangeOf(text: string): string[] | undefined {
  const numbers = NUMBERS.exec(text)
  if (numbers !== null) {
    const [, first = '', last = '', step] = numbers
    const width = [first, last].some((end) => /^[+-]?0\d/.test(end)) ? Math.max(first.length, last.length) : 0
    return steps(Number(first), Number(last), step, text).map((n) => padded(n, width))
  }
  const letters = LETTERS.exec(text)
  if (letters === null) return undefined
  const [, first = '', last = '', step] = letters
  return steps(first.charCodeAt(0), last.charCodeAt(0), step, text).map((code) => {
    const letter = String.fromCharCode(code)
    // Between Z and a there are characters that mean something in a pattern.
    return /[A-Za-z]/.test(letter) ? letter : `\\${letter}`
  })
}

function steps(first: number, last: number, step: string | undefined, text: string): number[] {
  const size = Math.abs(Number(step ?? 1)) || 1
  const count = Math.floor(Math.abs(last - first) / size) + 1
  if (count > MAX_EXPANSIONS) throw tooMany(`{${text}}`)
  return Array.from({ length: count }, (_, i) => (first <= last ? first + i * size : first - i * size))
}

function padded(n: number, width: number): string {
  return n < 0 ? `-${String(-n).padStart(width - 1, '0')}` : String(n).padStart(width, '0')
}

function tooMany(text: string): RangeError {
  return new RangeError(`${text} stands for more than ${MAX_EXPANSIONS.toLocaleString('en')} names`)
}
