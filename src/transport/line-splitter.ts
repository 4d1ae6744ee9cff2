// Splits a worker's output into whole lines and attributes them to items, by the marker lines that the worker writes
// between the output of two items. Lines without markers between them stay one text, so that a line costs next to nothing.
import { StringDecoder } from 'node:string_decoder'
import { OUTPUT_MARK } from '../ipc/protocol.js'

/** A longer line is passed on in pieces, so that output without a line end does not accumulate in memory. */
const MAX_LINE_CHARACTERS = 64 * 1024
/** Digits of the item index in a marker. */
const MAX_INDEX_DIGITS = 16

export interface LineSplitter {
  push(bytes: Uint8Array): void
  /** The stream has ended: the rest is a line too. */
  end(): void
}

/** `onLines` takes one line or several, with a line end between two of them and none after the last. */
export function createLineSplitter(
  token: string,
  onLines: (lines: string, index: number | undefined) => void,
): LineSplitter {
  const decoder = new StringDecoder('utf8')
  const marker = `${OUTPUT_MARK}${token}:`
  let rest = ''
  let index: number | undefined

  const handleLine = (line: string) => {
    // If a job printed no line end, its text is on the same line, before the marker.
    const at = line.indexOf(marker)
    if (at < 0) return onLines(withoutCr(line), index)
    if (at > 0) onLines(line.slice(0, at), index)
    const next = line.slice(at + marker.length)
    index = next === 'none' ? undefined : Number(next)
  }

  const pushText = (text: string) => {
    rest += text
    const end = rest.lastIndexOf('\n')
    if (end >= 0) {
      const lines = rest.slice(0, end)
      rest = rest.slice(end + 1)
      if (lines.includes(OUTPUT_MARK)) for (const line of lines.split('\n')) handleLine(line)
      else onLines(withoutCr(lines.replaceAll('\r\n', '\n')), index)
    }
    if (rest.length <= MAX_LINE_CHARACTERS) return
    const complete = rest.length - incompleteEnd(rest)
    onLines(rest.slice(0, complete), index)
    rest = rest.slice(complete)
  }

  /** Characters at the end that may be the beginning of a marker or a line end, which a piece must not split. */
  const incompleteEnd = (text: string): number => {
    if (text.endsWith('\r')) return 1
    const length = text.length - text.lastIndexOf(OUTPUT_MARK[0]!)
    return length <= marker.length + MAX_INDEX_DIGITS ? length : 0
  }

  return {
    push: (bytes) => pushText(decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    end() {
      pushText(decoder.end())
      if (rest !== '') handleLine(rest)
      rest = ''
    },
  }
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** The last lines of a text, and no more of it. */
export function lastLines(lines: string, most: number): string[] {
  let from = lines.length
  for (let left = most; left > 0 && from >= 0; left--)
    from = from === 0 ? -1 : lines.lastIndexOf('\n', from - 1)
  return lines.slice(from + 1).split('\n')
}
