// What the reader of a template finds in it.
import type { Placeholder } from '../placeholders.js'

/** What is around a placeholder, and so how its value gets there. */
export type Quoting = 'plain' | 'double' | 'single' | 'comment'

/** A placeholder; `number` counts the different ones of a template from 1. */
export interface Place {
  readonly placeholder: Placeholder
  readonly number: number
  readonly quoting: Quoting
  /** All items of the batch, as words. */
  readonly spreads: boolean
}

export type Piece = string | Place | WholeWord

/** A word that holds placeholders and else only fixed text: `raw` as it is written, `value` what it means. */
interface WholeWord {
  readonly raw: readonly Piece[]
  readonly value: readonly (string | Place)[]
  /** It names the command. */
  readonly isName: boolean
}

/** A word of a simple command, quotes removed. */
export interface Word {
  /** Of a word with placeholders, or with parts that only the shell knows: without these. */
  readonly text: string
  /** The text before the first placeholder or such part. */
  readonly prefix: string
  readonly holds: boolean
  readonly spreads: boolean
}

/** `name=…` before the name of a command, or as an argument of `export` and the like. */
export function isAssignment({ prefix }: Word): boolean {
  return /^[A-Za-z_]\w*\+?=/.test(prefix)
}
