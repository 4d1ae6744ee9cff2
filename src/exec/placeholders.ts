// The placeholders of a command: how they are written, and what stands in their place for an item.
import path from 'node:path'
import { stringifyKeepingNumbers } from '../framing/exact-numbers.js'

/** As in the template: `{}`, `{.}`, `{item.a.b}` … */
export type Placeholder = string

const PATTERN = /\{(?:|\.|\/|\/\/|\/\.|#|%|item\.[^{}\n]+)\}/y
const LITERAL = '{{}}'
/** A name of a field that no shell and no other program reads as something else. */
const FIELDS = /^\{item(?:\.[^{}."'`$\\]+)+\}$/
/** What looks like a placeholder and is not one. */
const NEAR_MISS = /\{(?:[ \t]*items?\b[^{}\n]*|[./#%]{2,})\}/iy

export interface FoundPlaceholder {
  readonly kind: 'placeholder'
  readonly placeholder: Placeholder
  readonly length: number
}

export type Match =
  | FoundPlaceholder
  /** `{{}}`: the text `{}`. */
  | { readonly kind: 'literal'; readonly length: number }
  | { readonly kind: 'near-miss'; readonly text: string; readonly hint: string }

/** What is at this `{`; `undefined` if it belongs to the shell or to a program. */
export function matchAt(text: string, at: number): Match | undefined {
  if (text.startsWith(LITERAL, at)) return { kind: 'literal', length: LITERAL.length }
  PATTERN.lastIndex = at
  const found = PATTERN.exec(text)?.[0] ?? ''
  const isItem = found.startsWith('{item')
  // `{{.}}` is a template of another program.
  const isDoubled = found.length > 2 && text[at - 1] === '{' && text[at + found.length] === '}'
  // `${HOME}` and `${#}` are the shell's. `${}` and `${item.a}` mean nothing to it.
  const isShells = text[at - 1] === '$' && found !== '{}' && !isItem
  if (isShells || (isDoubled && !isItem)) return undefined
  if (text[at - 1] === '$' && (found === '{}' || isItem))
    return {
      kind: 'near-miss',
      text: `$${found}`,
      hint: `did you mean ${found}? For the sign itself write \\$${found}`,
    }
  if (isDoubled) return { kind: 'near-miss', text: `{${found}}`, hint: `did you mean ${found}?` }
  if (found !== '' && (!isItem || FIELDS.test(found)))
    return { kind: 'placeholder', placeholder: found, length: found.length }
  NEAR_MISS.lastIndex = at
  const near = NEAR_MISS.exec(text)?.[0]
  if (near === undefined) return undefined
  const hint = /item/i.test(near)
    ? `did you mean ${hintFor(near)}?`
    : 'the placeholders are {} {.} {/} {//} {/.} {#} {%} and {item.name}'
  return { kind: 'near-miss', text: near, hint }
}

function hintFor(near: string): string {
  const field = /items?[.[\s]+['"]?(\w[\w.-]*?)['"]?\.?\]?\s*\}$/i.exec(near)?.[1]
  return field === undefined ? '{} or {item.name}' : `{item.${field}}`
}

/** Facts about an item whose command is made. */
export interface CommandFacts {
  readonly item: unknown
  readonly index: number
  readonly slot: number
}

export type Value = { readonly text: string } | { readonly missing: string }

export function placeholderValue(placeholder: Placeholder, { item, index, slot }: CommandFacts): Value {
  switch (placeholder) {
    case '{}':
      return { text: textOf(item) }
    case '{#}':
      return { text: String(index) }
    case '{%}':
      return { text: String(slot) }
  }
  if (placeholder.startsWith('{item.')) {
    const value = fieldOf(item, placeholder.slice('{item.'.length, -1).split('.'))
    return value === undefined
      ? { missing: `it has no field ${placeholder.slice(6, -1)}` }
      : { text: textOf(value) }
  }
  if (typeof item !== 'string') return { missing: `${placeholder} is for items that are strings` }
  switch (placeholder) {
    case '{.}':
      return { text: withoutExtension(item) }
    case '{/}':
      return { text: baseName(item) }
    case '{/.}':
      return { text: withoutExtension(baseName(item)) }
    default:
      return { text: path.posix.dirname(item) }
  }
}

/** A string as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : stringifyKeepingNumbers(value)
}

function fieldOf(item: unknown, names: readonly string[]): unknown {
  let value = item
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** A name that begins with its only dot has no extension. */
function withoutExtension(file: string): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot <= 0 || name === '..' ? file : file.slice(0, dot - name.length)
}

function baseName(file: string): string {
  return path.posix.basename(file) || (file === '' ? '' : '/')
}
