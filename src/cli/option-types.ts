// The types of option values. Each parses the text that a user typed and describes what it accepts.

import { MAX_TIMER_MS } from '../defaults.js'
import { findUnsendable } from '../errors/capture/find-unserializable.js'
import { parsePointer } from '../json-pointer.js'
import type { Ms } from '../model.js'
import type { Rate } from '../plan.js'

export interface OptionType<T> {
  /** The alternatives, for the sentence "expected …". */
  readonly accepts: readonly string[]
  /** Returns `undefined` for text that is not acceptable. */
  parse(text: string): T | undefined
}

/** `10`, or `5%` of a total that is only known later. */
type CountOrPercent = { readonly count: number } | { readonly percent: number }

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const UNIT_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const

export const flag: OptionType<boolean> = {
  accepts: ['1', '0'],
  parse: (text) => (text === '1' ? true : text === '0' ? false : undefined),
}

export function nonEmpty(accepts: string): OptionType<string> {
  return { accepts: [accepts], parse: (text) => text || undefined }
}

export const expression: OptionType<string> = {
  accepts: ['an expression whose value is the task'],
  parse: (text) => (text.trim() === '' ? undefined : text),
}

export const template: OptionType<string> = {
  accepts: ['a command'],
  parse: (text) => (text.trim() === '' ? undefined : text),
}

export function oneOf<const T extends string>(...choices: readonly T[]): OptionType<T> {
  return {
    accepts: choices,
    parse: (text) => choices.find((choice) => choice === text),
  }
}

export function orKeyword<T, const K extends string>(type: OptionType<T>, keyword: K): OptionType<T | K> {
  return {
    accepts: [...type.accepts, keyword],
    parse: (text) => (text === keyword ? keyword : type.parse(text)),
  }
}

/** Digits only: a sign, a decimal point or an exponent is more likely a typo than intended. */
export function integer(min: 0 | 1): OptionType<number> {
  return {
    accepts: [min === 0 ? 'an integer of 0 or more' : 'a positive integer'],
    parse(text) {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) && value >= min ? value : undefined
    },
  }
}

/** Without `maxPercent`, more than 100% makes sense (`200%` of the processors). */
function countOrPercent(options: { min: 0 | 1; maxPercent?: number }): OptionType<CountOrPercent> {
  const count = integer(options.min)
  const maxPercent = options.maxPercent ?? Number.MAX_SAFE_INTEGER
  return {
    accepts: [...count.accepts, 'a percentage such as 5%'],
    parse(text) {
      const digits = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
      if (digits === undefined) {
        const value = count.parse(text)
        return value === undefined ? undefined : { count: value }
      }
      const percent = Number(digits)
      return percent <= maxPercent && (percent > 0 || options.min === 0) ? { percent } : undefined
    },
  }
}

/** 0 is no percentage: it means something else than a few processes. */
export const processCount: OptionType<CountOrPercent> = {
  accepts: ['an integer of 0 or more', 'a percentage such as 5%'],
  parse: (text) => (text === '0' ? { count: 0 } : countOrPercent({ min: 1 }).parse(text)),
}

/** A number or a share of failed items. */
export function failureLimit(min: 0 | 1): OptionType<CountOrPercent> {
  return countOrPercent({ min, maxPercent: 100 })
}

export const duration: OptionType<Ms> = {
  accepts: [
    'a duration such as 500ms, 2s, 1.5m or 1h (a bare number is seconds), above 0 and at most 24 days',
  ],
  parse(text) {
    const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text)
    if (match === null) return undefined
    const ms = Number(match[1]) * UNIT_MS[(match[2] ?? 's') as keyof typeof UNIT_MS]
    return ms > 0 && ms <= MAX_TIMER_MS ? ms : undefined
  },
}

export const durationOrZero: OptionType<Ms> = {
  accepts: ['0, or a duration such as 500ms or 2s (a bare number is seconds), at most 24 days'],
  parse: (text) => (/^0(ms|s|m|h)?$/.test(text) ? 0 : duration.parse(text)),
}

export const rate: OptionType<Rate> = {
  accepts: ['a rate above 0 with its unit, such as 10/s, 600/m or 0.5/h'],
  parse(text) {
    const match = /^(\d+(?:\.\d+)?|\.\d+)\/(s|m|h)$/.exec(text)
    if (match === null) return undefined
    const intervalMs = UNIT_MS[match[2] as 's' | 'm' | 'h'] / Number(match[1])
    return intervalMs <= MAX_TIMER_MS ? { intervalMs, text } : undefined
  },
}

export const size: OptionType<number> = {
  accepts: ['a size such as 64kb, 512mb or 2gb (a bare number is bytes)'],
  parse(text) {
    const match = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)?$/i.exec(text)
    if (match === null) return undefined
    const bytes = Number(match[1]) * UNIT_BYTES[(match[2]?.toLowerCase() ?? 'b') as keyof typeof UNIT_BYTES]
    return bytes >= 1 && Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined
  },
}

/** Separates the fields of CSV. A tab may be typed as `\\t`. */
export const delimiter: OptionType<string> = {
  accepts: ['one character that is not a quote or a line end, such as ;'],
  parse(text) {
    const character = text === '\\t' ? '\t' : text
    return [...character].length === 1 && !/["\r\n\0]/.test(character) ? character : undefined
  },
}

/** Comma-separated, at least one. */
export function listOf<const T extends string>(...choices: readonly T[]): OptionType<readonly T[]> {
  const choice = oneOf(...choices)
  return {
    accepts: [`a comma-separated list of ${choices.join(', ')}`],
    parse: (text) => allOrNothing(text.split(',').map((part) => choice.parse(part.trim()))),
  }
}

export const jsonArray: OptionType<readonly unknown[]> = {
  accepts: [`a JSON array such as '["eu", 3]'`],
  parse(text) {
    try {
      const value: unknown = JSON.parse(text)
      // Nesting can be too deep for the workers to receive it.
      return Array.isArray(value) && findUnsendable(value) === undefined ? value : undefined
    } catch {
      return undefined
    }
  },
}

/** Flags end each pattern with a NUL, which no argument can contain; a variable holds a comma-separated list. */
export const patterns: OptionType<readonly string[]> = {
  accepts: ['a pattern such as "logs/**/*.txt"'],
  parse(text) {
    const parts = text.includes('\0') ? text.split('\0') : splitAtCommas(text)
    const all = parts.filter((pattern) => pattern !== '')
    return all.length > 0 ? all : undefined
  },
}

/** But not at commas in braces (`*.{png,jpg}`), nor at `\\,`. */
function splitAtCommas(text: string): string[] {
  const parts = ['']
  let depth = 0
  for (const token of text.match(/\\.|[^\\]|\\$/gs) ?? []) {
    if (token === '{') depth++
    else if (token === '}' && depth > 0) depth--
    if (token === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}

/** `0,5-9,20-`. */
export const indexRanges: OptionType<readonly { readonly from: number; readonly to?: number }[]> = {
  accepts: ['indexes and ranges such as 0,5-9,20-'],
  parse: (text) => allOrNothing(text.split(',').map((part) => indexRange(part.trim()))),
}

/** `--resume` is `failed`. */
export const resumeMode: OptionType<'off' | 'failed' | 'missing'> = {
  accepts: ['missing', 'no value'],
  parse: (text) => (['off', 'failed', 'missing'] as const).find((mode) => mode === text),
}

/** RFC 6901. */
export const jsonPointer: OptionType<string> = {
  accepts: ['a JSON pointer such as /id or /user/name'],
  parse: (text) => (parsePointer(text) === undefined ? undefined : text),
}

/** `2/4`, `auto`, `auto/4`. */
export const shard: OptionType<
  { readonly index: number; readonly count: number } | { readonly auto: true; readonly count?: number }
> = {
  accepts: ['m/n with 1 <= m <= n', 'auto', 'auto/n'],
  parse(text) {
    const match = /^(\d{1,9}|auto)(?:\/(\d{1,9}))?$/.exec(text)
    if (match === null) return undefined
    const count = match[2] === undefined ? undefined : Number(match[2])
    if (count !== undefined && count < 1) return undefined
    if (match[1] === 'auto') return count === undefined ? { auto: true } : { auto: true, count }
    const index = Number(match[1])
    return count !== undefined && index >= 1 && index <= count ? { index, count } : undefined
  },
}

function indexRange(text: string) {
  const match = /^(\d+)(-(\d*))?$/.exec(text)
  if (match === null) return undefined
  const from = Number(match[1])
  const to = match[2] === undefined ? from : match[3] === '' ? undefined : Number(match[3])
  if (!Number.isSafeInteger(from) || (to !== undefined && (!Number.isSafeInteger(to) || to < from)))
    return undefined
  return to === undefined ? { from } : { from, to }
}

/** `kind=file`, comma-separated. */
export function kindsAndFiles<const T extends string>(
  ...kinds: readonly T[]
): OptionType<readonly { readonly kind: T; readonly path: string }[]> {
  const parsePart = (part: string) => {
    const equals = part.indexOf('=')
    const kind = kinds.find((name) => name === part.slice(0, Math.max(0, equals)))
    const path = part.slice(equals + 1)
    return kind === undefined || path === '' || path === '-' ? undefined : { kind, path }
  }
  return {
    accepts: kinds.map((kind) => `${kind}=<file>`),
    parse: (text) => allOrNothing(text.split(',').map(parsePart)),
  }
}

/** Between the values of a repeated flag: no argument and no variable can contain it. */
export const REPEATED = '\0'

/** Pairs, each as a flag of its own; of the same name twice, the last one. `name` decides which names are accepted. */
export function namedValues<T>(
  accepts: string,
  name: RegExp,
  parseValue: (text: string) => T,
): OptionType<Readonly<Record<string, T>>> {
  return {
    accepts: [accepts],
    parse(text) {
      const pairs = text.split(REPEATED).map((part) => {
        const equals = part.indexOf('=')
        const key = part.slice(0, Math.max(0, equals))
        return name.test(key) ? ([key, parseValue(part.slice(equals + 1))] as const) : undefined
      })
      const checked = allOrNothing(pairs)
      // `fromEntries` and not assignments, because a name may be __proto__.
      return checked && Object.fromEntries(checked)
    },
  }
}

/** JSON, else the text itself. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const files: OptionType<readonly string[]> = {
  accepts: ['a file'],
  parse: (text) => allOrNothing(text.split(REPEATED).map((path) => path || undefined)),
}

/** Options of Node that replace the program, or take the next word as one. */
const OTHER_PROGRAM =
  /^(-|--|-(e|p|pe|c|i|h|v)|--(eval|print|check|interactive|help|version|v8-options|test|watch(-path)?|run|build-snapshot|completion-bash))(=|$)/
/** Options of Node whose value may be a word of its own. */
const WITH_VALUE =
  /^(-r|-C|--(require|import|loader|experimental-loader|conditions|env-file|title|icu-data-dir|openssl-config|disable-warning))$/

/** Words as a shell would split them. Anything but an option would be taken for the worker's program. */
export const nodeOptions: OptionType<readonly string[]> = {
  accepts: [
    'options of Node such as --max-old-space-size=4096, as --name or --name=value; they may not choose what Node runs',
  ],
  parse(text) {
    const words = shellWords(text)
    if (words === undefined || words.length === 0) return undefined
    for (let i = 0; i < words.length; i++) {
      if (!words[i]!.startsWith('-') || OTHER_PROGRAM.test(words[i]!)) return undefined
      if (WITH_VALUE.test(words[i]!) && ++i === words.length) return undefined
    }
    return words
  },
}

/** Quotes group; nothing else is special. `undefined` where one is not closed. */
function shellWords(text: string): string[] | undefined {
  const words = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []
  const isComplete = text.replaceAll(/"[^"]*"|'[^']*'/g, '').search(/["']/) < 0
  return isComplete ? words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2')) : undefined
}

function allOrNothing<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  return values.every((value) => value !== undefined) ? values : undefined
}
