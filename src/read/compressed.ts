// Decompresses streams by the file's extension. Import it lazily: Node takes some milliseconds to load zlib.
import type { Readable, Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { InputError } from '../errors/classes.js'
import type { Compressed } from './extensions.js'

/** Since Node 22.15 and 23.8. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform }

const UNPACK: Readonly<Record<Compressed, (() => Transform) | undefined>> = {
  '.gz': zlib.createGunzip,
  '.br': zlib.createBrotliDecompress,
  '.zst': createZstdDecompress,
}

/** @throws InputError if this version of Node cannot decompress the format */
export function unpacker(extension: Compressed, file: string): (packed: Readable) => Readable {
  const create = UNPACK[extension]
  if (create === undefined) {
    const instead = `unpack it first: zstd -dc ${file} | poolrun …`
    throw new InputError(`cannot read ${file}: Node ${process.version} has no zstd; ${instead}`)
  }
  return (packed) => {
    const unpacked = create()
    packed.on('error', (error) => unpacked.destroy(error))
    unpacked.on('close', () => packed.destroy())
    return packed.pipe(unpacked)
  }
}
