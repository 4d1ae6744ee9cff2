import identity from './identity.mjs'

/**
 * Parses each line, calls the task and writes the result as a line. One `JSON.parse` over all lines joined by commas would
 * take `1,2`, `[3`, `4]` for three items, and is no faster.
 */
export function echoLines(text) {
  let out = ''
  let from = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    out += `${JSON.stringify(identity(JSON.parse(text.slice(from, end))))}\n`
    from = end + 1
  }
  return out
}
