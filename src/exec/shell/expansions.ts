// The parts of words that only the shell knows: arithmetic, `${…}`, `$'…'` and backticks. Each function reads one of them,
// from its first character to its last.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are parts of shell scripts
import type { Cursor } from './cursor.js'
import { invalidTemplate, refuseNearMiss } from './refusal.js'

/** Commands inside a word. */
export interface NestedCommands {
  /** From `(` to its `)`. */
  parenthesized(): void
  /** Up to a place in the text. */
  upTo(end: number): void
}

/** Shells in which `\'` does not end `$'…'`. */
const WITH_ESCAPED_QUOTES = /^(?:bash|zsh|r?ksh\d*|mksh)$/

const IN_ARITHMETIC = {
  where: 'arithmetic',
  why: 'the shell would evaluate the item as an expression',
  instead: 'leave the arithmetic to a program, such as expr or awk',
}
const IN_PARAMETER = {
  where: '${…}',
  why: 'its meaning there depends on the shell',
  instead: 'assign it to a variable before: x={}; …',
}
const IN_ANSI_QUOTES = {
  where: "$'…'",
  why: 'not every shell has these quotes',
  instead: `write '…' or "…"`,
}
const IN_ESCAPED_BACKTICKS = {
  where: 'backticks with a backslash',
  why: 'how often it escapes depends on what is around',
  instead: 'write $(…)',
}

/** Without placeholders: a shell runs the `$(…)` of a value there. */
export function readArithmetic(cursor: Cursor, open: '$((' | '((' | '$['): void {
  const [left, right] = open === '$[' ? ['[', ']'] : ['(', ')']
  let depth = 0
  const step = (at: number) => {
    if (cursor.text[at] === left) depth++
    else if (cursor.text[at] === right && --depth === 0) return 0
    return 1
  }
  const end = cursor.findCloser(cursor.at, step, `${open} is not closed`, IN_ARITHMETIC)
  cursor.emit(end + 1 - cursor.at)
}

/** `${…}` without placeholders: what a value means in it depends on the operator and on the shell. */
export function readParameter(cursor: Cursor, inDouble: boolean): void {
  const { text, at: start } = cursor
  const near = cursor.matchAt(start + 1)
  if (near?.kind === 'near-miss') refuseNearMiss(near.text, near.hint)
  let depth = 0
  const step = (at: number) => {
    const c = text[at]
    if (c === '\\') return 2
    if (c === '$' && text[at + 1] === '{') {
      depth++
      return 2
    }
    if (c === '}' && --depth === 0) return 0
    const closingQuote = c === "'" && !inDouble ? text.indexOf("'", at + 1) : -1
    return closingQuote === -1 ? 1 : closingQuote + 1 - at
  }
  const end = cursor.findCloser(start, step, '${ is not closed', IN_PARAMETER)
  // Shells do not agree on what quotes hide.
  const inner = text.slice(start, end)
  if (/(?<!\\)['"`]/.test(inner) && /\{[./#%]*\}|\{item\./.test(inner)) cursor.refuse(IN_PARAMETER)
  cursor.emit(end + 1 - start)
}

/** `$'…'` without placeholders. */
export function readAnsiQuotes(cursor: Cursor, shell: string): void {
  const { text, at: start } = cursor
  const step = (at: number) => {
    if (text[at] === "'") return 0
    if (text[at] !== '\\') return 1
    if (text[at + 1] === "'" && !WITH_ESCAPED_QUOTES.test(shell))
      invalidTemplate(`shells read \\' in $'…' differently; use "…", or --shell bash`)
    return 2
  }
  const end = cursor.findCloser(start + 2, step, 'a single quote is not closed', IN_ANSI_QUOTES)
  cursor.emit(end + 1 - start)
}

/** Their commands; with a backslash, whose effect depends on how deep they are, only text without placeholders. */
export function readBackticks(cursor: Cursor, commands: NestedCommands): void {
  const { text, at: start } = cursor
  let hasBackslash = false
  const step = (at: number) => {
    if (text[at] === '`') return 0
    if (text[at] !== '\\') return 1
    hasBackslash = true
    return 2
  }
  const end = cursor.findCloser(start + 1, step, 'a backtick is not closed')
  const count = cursor.placeCount
  cursor.emit(1)
  if (hasBackslash) cursor.emitFixed(end, IN_ESCAPED_BACKTICKS)
  else commands.upTo(end)
  if (cursor.placeCount > count) cursor.canShow = false
  cursor.emit(1)
}
