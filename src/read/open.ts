// From what the user named as input to a source of chunks. Knows nothing of runs; nothing is read before the first
// `next`, but a file that is missing or cannot be opened is known here.
import { closeSync, fstatSync, open } from 'node:fs'
import { Socket } from 'node:net'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { isatty, ReadStream as TtyStream } from 'node:tty'
import { InputError } from '../errors/classes.js'
import type { Framing } from '../model.js'
import type { InputChoice } from '../run/plan.js'
import { type ByteReader, FileReader, MemoryReader, StreamReader } from './byte-reader.js'
import { type ByteSource, createByteSource } from './byte-source.js'

export interface OpenOptions {
  /** `collect`: a line that is no UTF-8 is a failed item, not the end of the input. */
  readonly tolerant?: boolean
  /** Instead of the process's own. */
  readonly stdin?: Readable
}

const BY_EXTENSION: Readonly<Record<string, Framing>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.txt': 'lines',
}

/** Rejects with `InputError` where the file cannot be opened. */
export async function openInput(
  choice: InputChoice,
  format: Framing | undefined,
  options: OpenOptions = {},
): Promise<ByteSource> {
  const tolerant = options.tolerant ?? false
  switch (choice.kind) {
    case 'stdin':
      return createByteSource(stdinReader(options.stdin), { file: '<stdin>', framing: format, tolerant })
    case 'file': {
      const framing = format ?? BY_EXTENSION[extname(choice.path).toLowerCase()]
      return createByteSource(await fileReader(choice.path), { file: choice.path, framing, tolerant })
    }
    case 'items':
      return createByteSource(new MemoryReader(Buffer.from(choice.texts.map(itemLine).join('\n'))), {
        file: '<items>',
        framing: 'ndjson',
        tolerant,
      })
  }
}

/** Each text as typed where it is JSON, else as a string. Between tokens a line break is white space like any other. */
export function itemLine(text: string): string {
  try {
    JSON.parse(text)
    return text.replace(/[\r\n]/g, ' ')
  } catch {
    return JSON.stringify(text)
  }
}

function stdinReader(given: Readable | undefined): ByteReader {
  if (given !== undefined) return new StreamReader(given)
  const stat = fstatSync(0)
  // Node reads a directory as an empty stream, without an error.
  if (stat.isDirectory()) throw new InputError('cannot read <stdin>: it is a directory')
  return stat.isFile() ? new FileReader(0) : new StreamReader(process.stdin)
}

async function fileReader(path: string): Promise<ByteReader> {
  const fd = await openFile(path)
  const stat = fstatSync(fd)
  if (stat.isDirectory()) {
    closeSync(fd)
    throw new InputError(`cannot read ${path}: it is a directory`)
  }
  if (stat.isFile() || (stat.isCharacterDevice() && !isatty(fd))) return new FileReader(fd)
  return new StreamReader(
    isatty(fd) ? new TtyStream(fd) : new Socket({ fd, readable: true, writable: false }),
  )
}

function openFile(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (error, fd) => {
      if (error === null) resolve(fd)
      else reject(new InputError(`cannot read ${path}: ${reason(error)}`, { cause: error }))
    })
  })
}

function reason(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such file'
  if (error.code === 'EACCES') return 'permission denied'
  return error.message
}
