// Whether there is a live bar, a plain line now and then, or nothing: what was asked for, and where stderr leads.
// Reads nothing but what it is given.
import type { ProgressChoice } from '../../plan.js'

export type ProgressMode = 'bar' | 'plain' | 'none'

/** Columns below which nothing live is drawn. */
export const LEAST_COLUMNS = 12

export interface ProgressEnvironment {
  readonly isTTY: boolean
  /** 0 where the terminal does not know. */
  readonly columns: number
  readonly env: NodeJS.ProcessEnv
  readonly quiet: boolean
  /** Items are typed into the same terminal. */
  readonly typing: boolean
}

export function chooseProgress(choice: ProgressChoice, around: ProgressEnvironment): ProgressMode {
  const { isTTY, columns, env, quiet, typing } = around
  const draws = isTTY && env.TERM !== 'dumb' && columns >= LEAST_COLUMNS && !typing
  switch (choice) {
    case 'none':
    case 'plain':
      return choice
    case 'bar':
      return draws ? 'bar' : 'plain'
    case 'auto':
      if (quiet || typing) return 'none'
      if (isCI(env)) return 'plain'
      // A file or another program reads it: not people, or not now.
      if (!isTTY) return 'none'
      return draws ? 'bar' : 'plain'
    default:
      return choice satisfies never
  }
}

function isCI({ CI }: NodeJS.ProcessEnv): boolean {
  return CI !== undefined && !['', '0', 'false'].includes(CI)
}
