// Reads frames from a channel past streams and event emitters: they run functions that a job can replace, and give each
// 64 KiB of a large frame memory of its own.
import { Socket } from 'node:net'
import type { FrameReader } from './frames.js'

/** For a read that may hold many frames. What is left of a large frame is read straight into it, however much arrives. */
const READ_BYTES = 64 * 1024

/** `onDamaged`: something that is not a frame has arrived. What follows is read and ignored. */
export function readFrames(
  from: { readonly fd: number } | { readonly handle: object },
  frames: FrameReader,
  onDamaged: () => void,
): Socket {
  const small = new Uint8Array(READ_BYTES)
  const callback = (bytes: number, buffer: Uint8Array) => {
    if (buffer !== small) frames.advance(bytes)
    else if (!frames.push(small.subarray(0, bytes))) onDamaged()
    return true
  }
  const onread = { buffer: () => frames.room ?? small, callback }
  const options = { ...from, readable: true, writable: false, onread }
  return new Socket(options)
}
