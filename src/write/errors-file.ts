// `--errors`: a line of JSON a failed item, written the moment it has settled, so that an interrupted run leaves what it
// knew. Lines stand in the order in which items failed. Knows nothing of policies.
import { closeSync, openSync, writeSync } from 'node:fs'
import { OutputError } from '../errors/classes.js'
import type { FrameOptions } from '../errors/frames.js'
import { plainError } from '../errors/render/plain-error.js'
import { type BytesPayload, type ItemRange, itemRanges, rangeText } from '../framing/items.js'
import { locate, positionText } from '../framing/position.js'
import { type Failure, itemIndexAt, type SettledRange } from '../model.js'

export interface ErrorsFile {
  /** @throws OutputError */
  settled(settled: SettledRange): void
  close(): void
}

/** @throws OutputError */
export function openErrorsFile(path: string, frames: FrameOptions): ErrorsFile {
  const fd = attempt(path, () => openSync(path, 'w'))
  return {
    settled(settled) {
      if (settled.failures.length === 0) return
      const text = attempt(path, () => linesOf(settled, frames))
      attempt(path, () => {
        for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest))
      })
    },
    close: () => closeSync(fd),
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OutputError(`cannot write the errors to ${path}: ${reason}`, { cause: error })
  }
}

function linesOf({ chunk, failures }: SettledRange, frames: FrameOptions): string {
  const { payload } = chunk
  // Found once for all: a search for each would read the chunk as often as it has failures.
  const ranges = payload.kind === 'bytes' ? [...itemRanges(payload)] : []
  let text = ''
  for (const failed of failures) {
    const { offset, failure, attempts } = failed
    const index = itemIndexAt(chunk, offset)
    const range = ranges[offset]
    const item = payload.kind === 'bytes' && range !== undefined ? asJson(payload, range, failure) : 'null'
    const position = failure.kind === 'input' ? positionText(locate(chunk, offset, failure.at)) : undefined
    const error = JSON.stringify(plainError({ index, position }, failed, frames))
    text += `{"index":${index},"item":${item},"kind":"${failure.kind}","attempts":${attempts},"error":${error}}\n`
  }
  return text
}

/** The item as it stood in the input, on one line; what is no JSON becomes a string. */
function asJson(payload: BytesPayload, range: ItemRange, failure: Failure): string {
  const { framing } = payload
  const text = rangeText(payload, range)
  const isJson = framing !== 'lines' && framing !== 'nul' && failure.kind !== 'input'
  // A line break stands between tokens only: within a string it would be no JSON.
  return isJson ? text.replace(/[\r\n]+/g, ' ').trim() : JSON.stringify(text)
}
