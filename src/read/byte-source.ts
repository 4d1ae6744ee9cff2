// A chunk source over bytes: reads when asked and only then, frames what is there, never waits to fill a want.
// Knows nothing of where the bytes come from or what an item means.
import { InputError } from '../errors/classes.js'
import type { Chunk, Framing } from '../model.js'
import type { ChunkSource, Want } from '../source.js'
import type { ByteReader } from './byte-reader.js'
import { CsvFramer, type Dialect } from './csv.js'
import { DelimitedFramer } from './delimited.js'
import { detect } from './detect.js'
import type { Framer, FramerOptions } from './framer.js'
import { InputBuffer } from './input-buffer.js'
import { JsonArrayFramer } from './json-array.js'

export interface ByteSourceOptions extends FramerOptions {
  /** `undefined`: told from the first bytes. */
  readonly framing: Framing | undefined
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
  private readonly window = new InputBuffer()
  private framer: Framer | undefined
  private left: number | undefined
  private finished = false

  constructor(
    private readonly reader: ByteReader,
    private readonly options: ByteSourceOptions,
  ) {}

  next(want: Want): Chunk | undefined | Promise<Chunk | undefined> {
    const chunk = this.take(want)
    return chunk !== undefined || this.finished || this.window.ended ? chunk : this.readOn(want)
  }

  close(): void {
    this.finished = true
    this.reader.close()
  }

  remaining(): number | undefined {
    if (this.finished) return 0
    this.window.ended ||= this.reader.ended
    if (!this.window.ended || this.framer === undefined) return undefined
    this.left ??= this.framer.count()
    return this.left
  }

  private async readOn(want: Want): Promise<Chunk | undefined> {
    while (!this.window.ended) {
      await this.fill()
      const chunk = this.take(want)
      if (chunk !== undefined || this.finished) return chunk
    }
    return undefined
  }

  private take(want: Want): Chunk | undefined {
    if (this.finished) return undefined
    try {
      this.framer ??= this.createFramer()
      const chunk = this.framer?.take(want)
      if (chunk === undefined) this.finished = this.window.ended
      else if (this.left !== undefined) this.left -= chunk.count
      return chunk
    } catch (error) {
      this.close()
      throw error
    }
  }

  private async fill(): Promise<void> {
    const { window, reader } = this
    try {
      window.grew(await reader.read(window.room()))
      window.ended = reader.ended
    } catch (error) {
      this.close()
      const reason = error instanceof Error ? error.message : String(error)
      throw new InputError(`cannot read ${this.options.file}: ${reason}`, { cause: error })
    }
  }

  /** `undefined` while the bytes do not tell. */
  private createFramer(): Framer | undefined {
    const { window, options } = this
    if (window.position.offset === 0 && !window.skipBom()) return undefined
    const framing = options.framing ?? detect(window, options.file)
    if (framing === undefined) return undefined
    if (framing === 'json') return new JsonArrayFramer(window, options)
    if (framing === 'csv') return new CsvFramer(window, options, options.dialect!)
    return new DelimitedFramer(framing, window, options)
  }
}
