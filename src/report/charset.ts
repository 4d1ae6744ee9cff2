// Whether the terminal can show more than ASCII, and what replaces the characters that it cannot show.

export interface Charset {
  readonly spinner: readonly string[]
  readonly barDone: string
  readonly barRest: string
  /** Marks the end of a text that was cut. */
  readonly ellipsis: string
  /** poolrun's own text (never a job's), with replacements for characters that cannot be shown. */
  text(text: string): string
}

// Braille: unlike block and line characters, it is one column wide in East Asian terminals too.
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
 * The first of LC_ALL, LC_CTYPE and LANG that is set decides. If none is set, as in most containers and CI systems,
 * the output is still displayed as UTF-8. The Linux console (`TERM=linux`) has too few characters.
 */
export function chooseCharset({ LC_ALL, LC_CTYPE, LANG, TERM }: NodeJS.ProcessEnv): Charset {
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8'
  return /utf-?8/i.test(locale) && TERM !== 'linux' ? UNICODE : ASCII
}
