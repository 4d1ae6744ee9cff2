// Kinds of option values: from the text a person typed to a value, and what to say when it is none.
// Knows nothing of options, commands or where the text came from.
import type { Ms } from '../model.js'

export interface Kind<T> {
  /** The alternatives, for the sentence "expected …". */
  readonly accepts: readonly string[]
  /** `undefined` where the text is not acceptable. */
  read(text: string): T | undefined
}

/** `n`, or `n%` of something only known later. */
export type Share = { readonly count: number } | { readonly percent: number }

/** Timers that are longer than this fire at once. */
const LONGEST_MS = 2 ** 31 - 1

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

export const flag: Kind<boolean> = {
  accepts: ['1', '0'],
  read: (text) => (text === '1' ? true : text === '0' ? false : undefined),
}

export function nonEmpty(accepts: string): Kind<string> {
  return { accepts: [accepts], read: (text) => text || undefined }
}

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    accepts: choices,
    read: (text) => choices.find((choice) => choice === text),
  }
}

export function orWord<T, const W extends string>(kind: Kind<T>, word: W): Kind<T | W> {
  return {
    accepts: [...kind.accepts, word],
    read: (text) => (text === word ? word : kind.read(text)),
  }
}

/** Digits only: a sign, a point or an exponent is more often a slip than a wish. */
export function wholeNumber(least: 0 | 1): Kind<number> {
  return {
    accepts: [`a whole number from ${least}`],
    read(text) {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) && value >= least ? value : undefined
    },
  }
}

/** Without a `most`, more than all makes sense (`200%` of the processors). */
export function share(options: { least: 0 | 1; most?: number }): Kind<Share> {
  const whole = wholeNumber(options.least)
  const most = options.most ?? Number.MAX_SAFE_INTEGER
  return {
    accepts: [...whole.accepts, 'a percentage such as 5%'],
    read(text) {
      const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
      if (percent === undefined) {
        const count = whole.read(text)
        return count === undefined ? undefined : { count }
      }
      const value = Number(percent)
      return value <= most && (value > 0 || options.least === 0) ? { percent: value } : undefined
    },
  }
}

export const duration: Kind<Ms> = {
  accepts: [
    'a duration such as 500ms, 2s, 1.5m or 1h, a bare number being seconds, above 0 and at most 24 days',
  ],
  read(text) {
    const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text)
    if (match === null) return undefined
    const ms = Number(match[1]) * UNIT_MS[(match[2] ?? 's') as keyof typeof UNIT_MS]
    return ms > 0 && ms <= LONGEST_MS ? ms : undefined
  },
}

/** As `duration`, where none at all makes sense. */
export const pause: Kind<Ms> = {
  accepts: ['0, or a duration such as 500ms or 2s, a bare number being seconds, at most 24 days'],
  read: (text) => (/^0(ms|s|m|h)?$/.test(text) ? 0 : duration.read(text)),
}

const UNIT_BYTES = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const

export const size: Kind<number> = {
  accepts: ['a size such as 64kb, 512mb or 2gb, a bare number being bytes'],
  read(text) {
    const match = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)?$/i.exec(text)
    if (match === null) return undefined
    const bytes = Number(match[1]) * UNIT_BYTES[(match[2]?.toLowerCase() ?? 'b') as keyof typeof UNIT_BYTES]
    return bytes >= 1 && Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : undefined
  },
}

/** Comma-separated, at least one. */
export function listOf<const T extends string>(...choices: readonly T[]): Kind<readonly T[]> {
  const one = oneOf(...choices)
  return {
    accepts: [`a comma-separated list of ${choices.join(', ')}`],
    read(text) {
      const values = text.split(',').map((part) => one.read(part.trim()))
      return values.every((value) => value !== undefined) ? values : undefined
    },
  }
}

export const jsonArray: Kind<readonly unknown[]> = {
  accepts: [`a JSON array such as '["eu", 3]'`],
  read(text) {
    try {
      const value: unknown = JSON.parse(text)
      return Array.isArray(value) ? value : undefined
    } catch {
      return undefined
    }
  },
}

/** Several values, each in its own way: those of a repeatable option, joined by commas. */
export function words(accepts: string): Kind<readonly string[]> {
  return {
    accepts: [accepts],
    read(text) {
      const values = text.split(SEPARATOR).filter((word) => word !== '')
      return values.length > 0 ? values : undefined
    },
  }
}

/** Between the values of a repeatable option. A pattern may hold commas of its own, in braces: `*.{png,jpg}`. */
const SEPARATOR = /,(?![^{]*\})/

/** `0,5-9,20-`. */
export const ranges: Kind<readonly { readonly from: number; readonly to?: number }[]> = {
  accepts: ['indexes and ranges such as 0,5-9,20-'],
  read(text) {
    const read = text.split(',').map((part) => {
      const match = /^(\d+)(-(\d*))?$/.exec(part.trim())
      if (match === null) return undefined
      const from = Number(match[1])
      const to = match[2] === undefined ? from : match[3] === '' ? undefined : Number(match[3])
      if (!Number.isSafeInteger(from) || (to !== undefined && (!Number.isSafeInteger(to) || to < from)))
        return undefined
      return to === undefined ? { from } : { from, to }
    })
    return read.every((range) => range !== undefined) ? read : undefined
  },
}

/** `kind=file`, several joined by commas; each file once. */
export function assignments<const T extends string>(
  ...kinds: readonly T[]
): Kind<readonly { readonly kind: T; readonly path: string }[]> {
  return {
    accepts: kinds.map((kind) => `${kind}=<file>`),
    read(text) {
      const read = text.split(',').map((part) => {
        const at = part.indexOf('=')
        const kind = kinds.find((name) => name === part.slice(0, Math.max(0, at)))
        const path = part.slice(at + 1)
        return kind === undefined || path === '' || path === '-' ? undefined : { kind, path }
      })
      const whole = read.every((value) => value !== undefined) ? read : undefined
      return whole !== undefined && new Set(whole.map(({ path }) => path)).size === whole.length
        ? whole
        : undefined
    },
  }
}
