// A chunk source over bytes: reads only on demand, frames what is there, and never waits for more than one item.
import { InputError } from '../errors/classes.js'
import type { Chunk, InputFraming } from '../model.js'
import type { ChunkSource, Want } from '../source.js'
import type { ByteReader } from './byte-reader.js'
import { CsvFramer, type Dialect } from './csv.js'
import { DelimitedFramer } from './delimited.js'
import { detect } from './detect.js'
import type { Framer, FramerOptions } from './framer.js'
import { InputBuffer } from './input-buffer.js'
import { inputError } from './input-error.js'
import { JsonArrayFramer } from './json-array.js'

interface ByteSourceOptions extends FramerOptions {
  /** `undefined`: detected from the first bytes. */
  readonly framing: InputFraming | undefined
  /** For `csv`. */
  readonly dialect?: Dialect | undefined
}

/** A `ChunkSource` of bytes payloads. */
export interface ByteSource extends ChunkSource {
  remaining(): number | undefined
}

export function createByteSource(reader: ByteReader, options: ByteSourceOptions): ByteSource {
  return new ReaderSource(reader, options)
}

class ReaderSource implements ByteSource {
  readonly #reader: ByteReader
  readonly #options: ByteSourceOptions
  readonly #input = new InputBuffer()
  #framer: Framer | undefined
  /** Items not yet taken, once they were counted. */
  #remaining: number | undefined
  /** Bytes may have been read that are not in the buffer yet. */
  #isReading = false
  #finished = false

  constructor(reader: ByteReader, options: ByteSourceOptions) {
    this.#reader = reader
    this.#options = options
  }

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    const chunk = this.#take(want)
    return chunk !== undefined || this.#finished || this.#input.ended ? chunk : this.#readUntilChunk(want)
  }

  close(): void {
    this.#finished = true
    this.#reader.close()
  }

  remaining(): number | undefined {
    if (this.#finished) return 0
    if (!this.#isReading) this.#input.ended ||= this.#reader.ended
    if (!this.#input.ended || this.#framer === undefined) return undefined
    this.#remaining ??= this.#framer.count()
    return this.#remaining
  }

  async #readUntilChunk(want: Want): Promise<Chunk | undefined> {
    while (!this.#input.ended) {
      await this.#fill()
      const chunk = this.#take(want)
      if (chunk !== undefined || this.#finished) return chunk
    }
    return undefined
  }

  #take(want: Want): Chunk | undefined {
    if (this.#finished) return undefined
    try {
      this.#framer ??= this.#createFramer()
      const chunk = this.#framer?.take(want)
      if (chunk === undefined) this.#finished = this.#input.ended
      else if (this.#remaining !== undefined) this.#remaining -= chunk.count
      return chunk
    } catch (error) {
      this.close()
      throw error
    }
  }

  async #fill(): Promise<void> {
    const input = this.#input
    this.#isReading = true
    try {
      input.grew(await this.#reader.read(input.room()))
      input.ended = this.#reader.ended
    } catch (error) {
      this.close()
      const reason = error instanceof Error ? error.message : String(error)
      throw new InputError(`cannot read ${this.#options.file}: ${reason}`, { cause: error })
    } finally {
      this.#isReading = false
    }
  }

  /** False while there are too few bytes. @throws InputError for UTF-16: most of its lines would be taken for UTF-8 */
  #isStartRead(): boolean {
    const { file, framing } = this.#options
    // The first of some names may begin with any bytes.
    const isUtf16 = framing === 'nul' ? false : this.#input.isUtf16()
    if (isUtf16)
      throw inputError(
        file,
        { line: 1, column: 1 },
        undefined,
        'the text is UTF-16, and poolrun reads UTF-8; iconv -f UTF-16 -t UTF-8 converts it',
      )
    return isUtf16 === false && this.#input.skipBom()
  }

  /** `undefined` while there are too few bytes to detect the framing. */
  #createFramer(): Framer | undefined {
    const input = this.#input
    const options = this.#options
    if (input.position.offset === 0 && !this.#isStartRead()) return undefined
    const framing = options.framing ?? detect(input, options.file)
    if (framing === undefined) return undefined
    switch (framing) {
      case 'json':
        return new JsonArrayFramer(input, options, options.framing === undefined)
      case 'csv':
        return new CsvFramer(input, options, options.dialect!)
      case 'ndjson':
      case 'lines':
      case 'nul':
        return new DelimitedFramer(framing, input, options)
      default:
        return framing satisfies never
    }
  }
}
