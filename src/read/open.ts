// Opens what the user named as input and makes it a source of chunks. A file that is missing or cannot be opened is
// reported here; nothing is read before the first `next`.
import { closeSync, constants, createReadStream, fstatSync, open, type Stats, statSync } from 'node:fs'
import { Socket, type SocketConstructorOpts } from 'node:net'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { isatty, ReadStream as TtyStream } from 'node:tty'
import { InputError } from '../errors/classes.js'
import { whyUnreadable } from '../errors/file-reasons.js'
import type { InputFraming } from '../model.js'
import type { InputChoice, InputFormat } from '../plan.js'
import { type ByteReader, FileReader, MemoryReader, StreamReader } from './byte-reader.js'
import { type ByteSource, createByteSource } from './byte-source.js'
import type { Dialect } from './csv.js'
import { formatOf, isCompressed } from './extensions.js'
import { ReadAhead } from './read-ahead.js'

/** Taken before a job runs in this process, where its own stdin is empty. Opened by the first call. */
const openStdin = Object.getOwnPropertyDescriptor(process, 'stdin')!.get!.bind(
  process,
) as () => NodeJS.ReadStream

interface OpenOptions {
  /** `collect`: a line or a name that is not UTF-8 is a failed item, not the end of the input. */
  readonly tolerant?: boolean
  /** Of CSV, a comma without it. */
  readonly delimiter?: string | undefined
  /** Called with what may be wrong about the input. */
  readonly warn?: ((text: string) => void) | undefined
  /** Members of a batch. Errors name the batch. */
  readonly batch?: number | undefined
  /** Read instead of the process's own stdin. */
  readonly stdin?: Readable
  /** What glob patterns are relative to. */
  readonly cwd?: string
}

/** Rejects with `InputError` if the file cannot be opened. */
export async function openInput(
  choice: InputChoice,
  format: InputFormat | undefined,
  options: OpenOptions = {},
): Promise<ByteSource> {
  const { tolerant = false, batch, delimiter, warn } = options
  switch (choice.kind) {
    case 'stdin':
      return createByteSource(stdinReader(options.stdin), {
        file: '<stdin>',
        ...framingOf(format, delimiter),
        tolerant,
        batch,
        warn,
      })
    case 'file': {
      const framing = framingOf(format ?? formatOf(choice.path), delimiter)
      return createByteSource(await fileReader(choice.path), {
        file: choice.path,
        ...framing,
        tolerant,
        batch,
        warn,
      })
    }
    case 'glob': {
      const { findFiles, pathAsJson } = await import('./glob.js')
      const paths = await findFiles(choice.patterns, options.cwd ?? process.cwd())
      return fromBytes(Buffer.concat(paths.flatMap((path) => [pathAsJson(path), LINE_END])), tolerant)
    }
    case 'items':
      return fromBytes(
        Buffer.from(
          choice.texts.map((text) => (choice.asStrings ? JSON.stringify(text) : itemLine(text))).join('\n'),
        ),
      )
    default:
      return choice satisfies never
  }
}

const LINE_END = Buffer.from('\n')

function fromBytes(bytes: Buffer, tolerant = false): ByteSource {
  return createByteSource(new MemoryReader(bytes), { file: '<items>', framing: 'ndjson', tolerant })
}

function framingOf(
  format: InputFormat | undefined,
  delimiter: string | undefined,
): { framing: InputFraming | undefined; dialect?: Dialect } {
  if (format === 'tsv') return { framing: 'csv', dialect: { delimiter: '\t' } }
  if (format !== 'csv') return { framing: format }
  return { framing: 'csv', dialect: { delimiter: delimiter ?? ',', isGuessed: delimiter === undefined } }
}

/**
 * The text as typed if it is JSON, else as a JSON string. A line break in JSON is white space and would end the item. A
 * number that does not print back as it was typed is a string: `81444e2` and `007` are identifiers, and one with more
 * than 16 digits would become another.
 */
export function itemLine(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'number' && String(value) !== text) return JSON.stringify(text)
    return text.replace(/[\r\n]/g, ' ')
  } catch {
    return JSON.stringify(text)
  }
}

function stdinReader(given: Readable | undefined): ByteReader {
  if (given !== undefined) return new StreamReader(given)
  const stat = fstatSync(0)
  // Node would read a directory as an empty stream, without an error.
  if (stat.isDirectory()) throw new InputError('cannot read <stdin>: it is a directory')
  if (stat.isFile()) return new FileReader(0)
  return stat.isFIFO() || stat.isSocket() ? pipeReader(0) : new StreamReader(openStdin())
}

function pipeReader(fd: number): ByteReader {
  const options: SocketConstructorOpts & { manualStart: boolean } = {
    fd,
    readable: true,
    writable: false,
    manualStart: true,
  }
  return new ReadAhead(new StreamReader(new Socket(options)))
}

async function fileReader(path: string): Promise<ByteReader> {
  const fd = await openFile(path)
  const stat = fstatSync(fd)
  if (stat.isDirectory()) {
    closeSync(fd)
    throw new InputError(`cannot read ${path}: it is a directory`)
  }
  const reader = stat.isFile() ? new FileReader(fd) : readerOf(fd, stat)
  const extension = extname(path).toLowerCase()
  if (!isCompressed(extension)) return reader
  const { unpacking } = await import('./compressed.js')
  return new ReadAhead(
    unpacking(extension, path)(reader),
    stat.isFile() ? Number.POSITIVE_INFINITY : undefined,
  )
}

function readerOf(fd: number, stat: Stats): ByteReader {
  if (isatty(fd)) return new StreamReader(new TtyStream(fd))
  return stat.isCharacterDevice() ? new StreamReader(createReadStream('', { fd })) : pipeReader(fd)
}

/** Does not wait for the writer of a pipe: a thread that waits could not be cancelled, and Node would wait for it. */
function openFile(path: string): Promise<number> {
  const flags = constants.O_RDONLY | (isPipe(path) ? constants.O_NONBLOCK : 0)
  return new Promise((resolve, reject) => {
    open(path, flags, (error, fd) => {
      if (error === null) resolve(fd)
      else reject(new InputError(`cannot read ${path}: ${whyUnreadable(error)}`, { cause: error }))
    })
  })
}

function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO()
  } catch {
    // Opening it says why.
    return false
  }
}
