import { writeSync } from 'node:fs'

/** Writes text or bytes to stdout, in as many steps as it takes. */
export function writeAll(content) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}
