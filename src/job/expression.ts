// The expression of `--eval` as a module: a line before it and a line after it, and a source map that hides both.
import path from 'node:path'
import type { Message } from 'esbuild'

/** The name is what frames call the function. */
const BEFORE = 'const task = (\n'
const AFTER = '\n)\nexport default task\n'

/** esbuild composes its own map with the one in the comment. */
export function wrap(expression: string, file: string): string {
  const map = { version: 3, sources: [path.basename(file)], names: [], mappings: mappings(expression) }
  const base64 = Buffer.from(JSON.stringify(map)).toString('base64')
  return `${BEFORE}${expression}${AFTER}//# sourceMappingURL=data:application/json;base64,${base64}`
}

/** Where the text of an error is in the expression. An error at the closing parenthesis is at the end of it. */
export function unwrapped(message: Message, expression: string): Message {
  const { location } = message
  if (location === null || !location.file.endsWith('--eval')) return message
  const lines = expression.split('\n')
  const line = location.line - 1
  if (line <= lines.length) return { ...message, location: { ...location, line } }
  const lineText = lines.at(-1)!
  const column = Buffer.byteLength(lineText)
  return { ...message, location: { ...location, line: lines.length, column, lineText } }
}

/** One segment per character, each one line above where it is compiled: esbuild looks up the nearest one only. */
function mappings(expression: string): string {
  let last = 0
  const lines = expression.split('\n').map((text, i) => {
    const start = `A${vlq(0)}${vlq(i === 0 ? 0 : 1)}${vlq(-last)}`
    last = text.length
    return [start, ...Array<string>(last).fill('CAAC')].join(',')
  })
  return `;${lines.join(';')}`
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The number format of source maps: five bits a digit, the lowest first, the sign in the lowest bit. */
function vlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let digits = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    digits += BASE64[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return digits
}
