// Colour as a layer over text that is already rendered: without it the bytes are exactly the plain format.
// Knows the look of failure blocks, not what is in them.
import type { ChalkInstance } from 'chalk'

export interface Colors {
  /** A failure block: headings red and bold, frames dim. */
  block(text: string): string
  good(text: string): string
  bad(text: string): string
  warning(text: string): string
  dim(text: string): string
}

const same = (text: string) => text

export const noColors: Colors = { block: same, good: same, bad: same, warning: same, dim: same }

/** Loads chalk only where there is colour. Its own detection (argv, CI, no NO_COLOR) is not asked. */
export async function loadColors(color: boolean): Promise<Colors> {
  if (!color) return noColors
  const { Chalk } = await import('chalk')
  return chalkPainter(new Chalk({ level: 1 }))
}

const ATTEMPT = /^attempt \d+ of \d+ failed:$/
const LINK = 'The above exception was the direct cause of the following exception:'

function chalkPainter(chalk: ChalkInstance): Colors {
  return {
    block: (text) => paintBlock(text, chalk),
    good: chalk.green,
    bad: chalk.red,
    warning: chalk.yellow,
    dim: chalk.dim,
  }
}

/** A heading is the first line of the block, of the quotes, after each linking sentence and each number of an attempt. */
function paintBlock(text: string, chalk: ChalkInstance): string {
  let headingNext = true
  let quoted = false
  return text
    .split('\n')
    .map((line) => {
      if (line === '') return line
      if (line === '"""' || line.startsWith('RemoteTraceback:')) {
        // Behind the second one stands the sentence, or an excerpt of the source in colours of its own.
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
