// Whether progress is a live bar, plain lines or nothing. It depends on `--progress` and on what stderr is.
import type { ProgressChoice } from '../../plan.js'

export type ProgressMode = 'bar' | 'plain' | 'none'

/** In a narrower terminal nothing live is drawn. */
export const MIN_COLUMNS = 12

export interface ProgressEnvironment {
  readonly isTTY: boolean
  /** 0 if the terminal does not report it. */
  readonly columns: number
  readonly env: NodeJS.ProcessEnv
  readonly quiet: boolean
  /** Items are being typed into the same terminal. */
  readonly typing: boolean
  /** Results go into a pipe, whose reader may write to the same terminal (`| cat`, `| jq`, `| less`). */
  readonly piped: boolean
}

export function chooseProgress(choice: ProgressChoice, environment: ProgressEnvironment): ProgressMode {
  const { isTTY, columns, env, quiet, typing, piped } = environment
  const canDraw = isTTY && env.TERM !== 'dumb' && columns >= MIN_COLUMNS && !typing
  switch (choice) {
    case 'none':
    case 'plain':
      return choice
    case 'bar':
      return canDraw ? 'bar' : 'plain'
    case 'auto':
      if (quiet || typing) return 'none'
      if (isCI(env)) return 'plain'
      // A file or another program reads stderr, not a person.
      if (!isTTY) return 'none'
      // What the reader writes meanwhile would be mixed with the block.
      return canDraw && !piped ? 'bar' : 'plain'
    default:
      return choice satisfies never
  }
}

function isCI({ CI }: NodeJS.ProcessEnv): boolean {
  return CI !== undefined && !['', '0', 'false'].includes(CI)
}
