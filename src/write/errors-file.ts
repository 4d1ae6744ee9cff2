// `--errors`: one line of JSON per failed item, in the order in which items fail, and then one per item that was cancelled
// while it ran. The line of a failed item is written synchronously as soon as the item settles, so that an interrupted run
// leaves a complete file; to a pipe, whose reader may be slow, it is written asynchronously.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { resolve } from 'node:path'
import type { FrameOptions } from '../errors/render/frames.js'
import { plainError } from '../errors/render/plain-error.js'
import { asBuffer, shownText } from '../framing/bytes.js'
import { type BytesPayload, type ItemRange, isJsonText, itemRanges, rangeText } from '../framing/items.js'
import { locate, locationText } from '../framing/location.js'
import { type CancelledRange, cancelledMs, type Failure, itemIndexAt, type SettledRange } from '../model.js'
import { cannotWrite } from './cannot-write.js'
import { durationText } from './envelope.js'
import { type OpenStream, openStream } from './open-stream.js'
import { targetOf } from './target.js'

export interface ErrorsFile {
  /** Drops what an earlier run left in the file; it keeps that until then, or until something is written. Idempotent. */
  begin(): void
  /** Writes the failures of the range. A promise is for a reader that is behind. @throws OutputError */
  write(settled: SettledRange): void | Promise<void>
  /** Writes the items that were cancelled, at the end of the run. @throws OutputError */
  writeCancelled(cancelled: readonly CancelledRange[]): void | Promise<void>
  /** A file that was created and never begun is removed. Resolves when everything has been read by the reader of a pipe, or is in its buffer. */
  close(): Promise<void>
}

/** Rejects with the reason of `stop` where a pipe has no reader by then. @throws OutputError */
export async function openErrorsFile(
  path: string,
  frames: FrameOptions,
  stop: AbortSignal,
): Promise<ErrorsFile> {
  try {
    const opened = await openStream(path, stop)
    return opened === undefined ? new SyncErrorsFile(path, frames) : streamed(path, frames, opened)
  } catch (error) {
    if (stop.aborted && error === stop.reason) throw error
    throw cannotWrite('the errors to', path, error)
  }
}

class SyncErrorsFile implements ErrorsFile {
  readonly #path: string
  readonly #frames: FrameOptions
  readonly #fd: number
  /** It did not exist before. */
  readonly #isNew: boolean
  #hasBegun = false
  /** What earlier runs left could not be dropped: nothing is written behind it. */
  #failed: unknown

  constructor(path: string, frames: FrameOptions) {
    this.#path = path
    this.#frames = frames
    this.#isNew = !existsSync(path)
    // Not O_CREAT for one that exists: in a sticky folder the system may refuse it for what belongs to somebody else.
    this.#fd = openSync(path, this.#isNew ? constants.O_WRONLY | constants.O_CREAT : constants.O_WRONLY)
  }

  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    try {
      if (fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd)
    } catch (error) {
      this.#failed = error
    }
  }

  write(settled: SettledRange): void {
    if (settled.failures.length > 0) this.#write(linesOf(settled, this.#frames))
  }

  writeCancelled(cancelled: readonly CancelledRange[]): void {
    this.#write(cancelledLines(cancelled))
  }

  async close(): Promise<void> {
    closeSync(this.#fd)
    if (this.#isNew && !this.#hasBegun) rmSync(targetOf(resolve(this.#path)), { force: true })
  }

  #write(text: string): void {
    this.begin()
    try {
      if (this.#failed !== undefined) throw this.#failed
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(this.#fd, rest))
    } catch (error) {
      throw cannotWrite('the errors to', this.#path, error)
    }
  }
}

function streamed(path: string, frames: FrameOptions, { stream, shared }: OpenStream): ErrorsFile {
  const failed = new Promise<never>((_resolve, reject) => {
    stream.on('error', (error) => reject(cannotWrite('the errors to', path, error)))
  })
  failed.catch(() => {})
  const write = (text: string) =>
    Promise.race([new Promise<void>((resolve) => stream.write(text, () => resolve())), failed])
  return {
    begin() {},
    write: (settled) => (settled.failures.length === 0 ? undefined : write(linesOf(settled, frames))),
    writeCancelled: (cancelled) => write(cancelledLines(cancelled)),
    async close() {
      await write('').catch(() => {})
      if (!shared) stream.destroy()
    },
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

/** In input order. */
function cancelledLines(cancelled: readonly CancelledRange[]): string {
  const lines: { readonly index: number; readonly line: string }[] = []
  for (const range of cancelled) {
    const { chunk, from, count, attempts } = range
    const { payload } = chunk
    const ranges = payload.kind === 'bytes' ? [...itemRanges(payload)] : []
    for (let offset = from; offset < from + count; offset++) {
      const index = itemIndexAt(chunk, offset)
      const itemRange = ranges[offset]
      const item =
        payload.kind === 'bytes' && itemRange !== undefined ? asParsedJson(payload, itemRange) : 'null'
      const ms = durationText(cancelledMs(range, offset))
      const line = `{"index":${index},"item":${item},"status":"cancelled","attempts":${attempts},"ms":${ms}}\n`
      lines.push({ index, line })
    }
  }
  return lines
    .sort((a, b) => a.index - b.index)
    .map(({ line }) => line)
    .join('')
}

/** As `asJson`, for an item that may never have been parsed. */
function asParsedJson(payload: BytesPayload, range: ItemRange): string {
  const text = asJson(payload, range, undefined)
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}

/** The item as it was in the input, on one line. If it is not JSON, its text as a JSON string. */
function asJson(payload: BytesPayload, range: ItemRange, failure: Failure | undefined): string {
  try {
    const text = rangeText(payload, range)
    const isJson = isJsonText(payload) && failure?.kind !== 'input'
    // In JSON a line break can only be white space between tokens, never part of a string.
    return isJson ? text.replace(/[\r\n]+/g, ' ').trim() : JSON.stringify(text)
  } catch {
    // Too long for a string: its beginning.
    return JSON.stringify(shownText(asBuffer(payload.bytes), range.start, range.end))
  }
}
