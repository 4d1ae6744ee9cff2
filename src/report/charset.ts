// Whether people's terminal can show more than ASCII, and what stands in where it cannot. Reads nothing but what it is
// given.

export interface Charset {
  readonly spinner: readonly string[]
  readonly barDone: string
  readonly barRest: string
  /** Where a text was cut. */
  readonly ellipsis: string
  /** Our own text, without letters that cannot be shown. */
  text(text: string): string
}

// Braille: unlike blocks and lines it is one column wide in East Asian terminals, too.
const UNICODE: Charset = {
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  barDone: '⣿',
  barRest: '⣀',
  ellipsis: '…',
  text: (text) => text,
}

const ASCII: Charset = {
  spinner: ['-', '\\', '|', '/'],
  barDone: '#',
  barRest: '.',
  ellipsis: '...',
  text: (text) => text.replaceAll('…', '...').replaceAll('×', 'x'),
}

/**
 * The first of LC_ALL, LC_CTYPE and LANG that is set decides. Where none is, as in most containers and CI systems,
 * what shows our text takes UTF-8 all the same. The console of Linux (`TERM=linux`) has too few letters.
 */
export function chooseCharset({ LC_ALL, LC_CTYPE, LANG, TERM }: NodeJS.ProcessEnv): Charset {
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8'
  return /utf-?8/i.test(locale) && TERM !== 'linux' ? UNICODE : ASCII
}
