// `--errors`: one line of JSON per failed item, in the order in which items fail. Each is written synchronously as soon
// as its item settles, so that an interrupted run leaves a complete file.
import { closeSync, openSync, writeSync } from 'node:fs'
import { OutputError } from '../errors/classes.js'
import type { FrameOptions } from '../errors/render/frames.js'
import { plainError } from '../errors/render/plain-error.js'
import { type BytesPayload, type ItemRange, itemRanges, rangeText } from '../framing/items.js'
import { locate, locationText } from '../framing/location.js'
import { type Failure, itemIndexAt, type SettledRange } from '../model.js'

export interface ErrorsFile {
  /** Writes the failures of the range. @throws OutputError */
  write(settled: SettledRange): void
  close(): void
}

/** @throws OutputError */
export function openErrorsFile(path: string, frames: FrameOptions): ErrorsFile {
  const fd = orOutputError(path, () => openSync(path, 'w'))
  return {
    write(settled) {
      if (settled.failures.length === 0) return
      const text = orOutputError(path, () => linesOf(settled, frames))
      orOutputError(path, () => {
        for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest))
      })
    },
    close: () => closeSync(fd),
  }
}

function orOutputError<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new OutputError(`cannot write the errors to ${path}: ${reason}`, { cause: error })
  }
}

function linesOf({ chunk, failures }: SettledRange, frames: FrameOptions): string {
  const { payload } = chunk
  // Found once for all failures: looking up each item by itself would scan the chunk once per failure.
  const ranges = payload.kind === 'bytes' ? [...itemRanges(payload)] : []
  let text = ''
  for (const failed of failures) {
    const { offset, failure, attempts } = failed
    const index = itemIndexAt(chunk, offset)
    const range = ranges[offset]
    const item = payload.kind === 'bytes' && range !== undefined ? asJson(payload, range, failure) : 'null'
    const location = failure.kind === 'input' ? locationText(locate(chunk, offset, failure.at)) : undefined
    const error = JSON.stringify(plainError({ index, location }, failed, frames))
    text += `{"index":${index},"item":${item},"kind":"${failure.kind}","attempts":${attempts},"error":${error}}\n`
  }
  return text
}

/** The item as it was in the input, on one line. If it is not JSON, its text as a JSON string. */
function asJson(payload: BytesPayload, range: ItemRange, failure: Failure): string {
  const { framing } = payload
  const text = rangeText(payload, range)
  const isJson = framing !== 'lines' && framing !== 'nul' && failure.kind !== 'input'
  // In JSON a line break can only be white space between tokens, never part of a string.
  return isJson ? text.replace(/[\r\n]+/g, ' ').trim() : JSON.stringify(text)
}
