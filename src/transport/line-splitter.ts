// Cuts a worker's output into whole lines and attributes them to items by the markers the worker writes between them.
// Knows nothing of processes; bytes in, lines out.
import { StringDecoder } from 'node:string_decoder'
import { OUTPUT_MARK } from '../ipc/protocol.js'

/** A line longer than this is passed on in pieces: output must not grow in memory because it has no newline. */
const MOST_CHARACTERS = 64 * 1024
/** Of the index in a marker. */
const MOST_DIGITS = 16

interface LineSplitter {
  push(bytes: Uint8Array): void
  /** The stream has ended: what is left is a line too. */
  end(): void
}

export function createLineSplitter(
  token: string,
  onLine: (line: string, index: number | undefined) => void,
): LineSplitter {
  const decoder = new StringDecoder('utf8')
  const mark = `${OUTPUT_MARK}${token}:`
  let rest = ''
  let index: number | undefined

  const emit = (line: string) => {
    // A job that printed no newline has its text before the marker in the same line.
    const at = line.indexOf(mark)
    if (at < 0) return onLine(line.endsWith('\r') ? line.slice(0, -1) : line, index)
    if (at > 0) onLine(line.slice(0, at), index)
    const named = line.slice(at + mark.length)
    index = named === 'none' ? undefined : Number(named)
  }

  const feed = (text: string) => {
    rest += text
    let from = 0
    for (let newline = rest.indexOf('\n'); newline >= 0; newline = rest.indexOf('\n', from)) {
      emit(rest.slice(from, newline))
      from = newline + 1
    }
    rest = rest.slice(from)
    if (rest.length <= MOST_CHARACTERS) return
    const whole = rest.length - unfinished(rest)
    onLine(rest.slice(0, whole), index)
    rest = rest.slice(whole)
  }

  /** Characters at the end that may be the beginning of a marker or of a line end: a piece must not tear them. */
  const unfinished = (text: string): number => {
    if (text.endsWith('\r')) return 1
    const length = text.length - text.lastIndexOf(OUTPUT_MARK[0]!)
    return length <= mark.length + MOST_DIGITS ? length : 0
  }

  return {
    push: (bytes) => feed(decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    end() {
      feed(decoder.end())
      if (rest !== '') emit(rest)
      rest = ''
    },
  }
}
