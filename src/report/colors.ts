// Colour as a layer over text that is already rendered: without colour, the bytes are exactly the plain format.
import type { ChalkInstance } from 'chalk'

export interface Colors {
  /** A failure block: headings red and bold, stack frames dim. */
  block(text: string): string
  good(text: string): string
  bad(text: string): string
  warning(text: string): string
  dim(text: string): string
}

const unchanged = (text: string) => text

export const noColors: Colors = {
  block: unchanged,
  good: unchanged,
  bad: unchanged,
  warning: unchanged,
  dim: unchanged,
}

/** Loads chalk only if there is colour. Chalk's own detection is bypassed: it reads argv and ignores NO_COLOR. */
export async function loadColors(color: boolean): Promise<Colors> {
  if (!color) return noColors
  const { Chalk } = await import('chalk')
  return chalkColors(new Chalk({ level: 1 }))
}

const ATTEMPT = /^attempt \d+ of \d+ failed:$/
const LINK = 'The above exception was the direct cause of the following exception:'

function chalkColors(chalk: ChalkInstance): Colors {
  return {
    block: (text) => colorBlock(text, chalk),
    good: chalk.green,
    bad: chalk.red,
    warning: chalk.yellow,
    dim: chalk.dim,
  }
}

/** Headings are the first line of the block and of the quoted part, and the line after each `LINK` and `ATTEMPT`. */
function colorBlock(text: string, chalk: ChalkInstance): string {
  let headingNext = true
  let quoted = false
  return text
    .split('\n')
    .map((line) => {
      if (line === '') return line
      if (line === '"""' || line.startsWith('RemoteTraceback:')) {
        // The closing quotes are followed by the linking sentence, or by a code frame that has colours of its own.
        quoted = line === '"""' && !quoted
        headingNext = quoted
        return chalk.dim(line)
      }
      if (line === LINK || ATTEMPT.test(line)) {
        headingNext = true
        return line
      }
      if (/^\s+at /.test(line)) return chalk.dim(line)
      const heading = headingNext || /^\s*\[\d+\/\d+\] /.test(line)
      headingNext = false
      return heading ? chalk.red.bold(line) : line
    })
    .join('\n')
}
