// Text as words of a POSIX shell.

/** Nothing in it means anything to a shell, wherever the word stands. */
const PLAIN = /^[\w@%+:,./-]+$/

/** A word that a shell reads as exactly this text. */
export function quoteWord(text: string): string {
  return PLAIN.test(text) ? text : quoteAlways(text)
}

/** As `quoteWord`, for the word that names the command: a shell reads some plain words there as its own. */
export function quoteAlways(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Inside double quotes. */
export function escapeDouble(text: string): string {
  return text.replace(/[$`"\\]/g, '\\$&')
}
