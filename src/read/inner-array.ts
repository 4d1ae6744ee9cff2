// Where a JSON document is an object with an array inside: finds the array, for the hint how to get at its elements.

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The keys that lead to the first of the outermost arrays in the beginning of an object; `undefined` if none is seen. */
export function findInnerArray(bytes: Buffer): readonly string[] | undefined {
  /** The key of each object that is open, and of each array `undefined`. */
  const open: (string | undefined)[] = []
  let found: readonly string[] | undefined
  let string: string | undefined
  for (let at = 0; at < bytes.length; at++) {
    const byte = String.fromCharCode(bytes[at]!)
    if (byte === '"') {
      const end = endOfString(bytes, at)
      if (end === undefined) break
      string = bytes.toString('utf8', at, end)
      at = end - 1
    } else if (byte === ':' && string !== undefined) open[open.length - 1] = keyOf(string)
    else if (byte === '{') open.push(undefined)
    else if (byte === '[') {
      const path = open.filter((key) => key !== undefined)
      const isReachable = path.length === open.length && path.length > 0
      if (isReachable && (found === undefined || path.length < found.length)) found = path
      if (found?.length === 1) break
      open.push(undefined)
    } else if (byte === '}' || byte === ']') open.pop()
  }
  return found
}

/** `jq -c '.items[]' x.json`: prints the elements of the array as NDJSON. */
export function jqCommand(path: readonly string[], file: string | undefined): string {
  const steps = path.map((key, i) =>
    /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `${i === 0 ? '.' : ''}[${JSON.stringify(key)}]`,
  )
  const words = [
    'jq -c',
    shellWord(`${steps.join('')}[]`, true),
    ...(file === undefined ? [] : [shellWord(file)]),
  ]
  return words.join(' ')
}

function shellWord(text: string, isQuoted = false): string {
  return isQuoted || !/^[\w./@%+=:,-]+$/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : text
}

function keyOf(json: string): string | undefined {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** After its closing quote. */
function endOfString(bytes: Buffer, start: number): number | undefined {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++
    else if (bytes[at] === QUOTE) return at + 1
  }
  return undefined
}
