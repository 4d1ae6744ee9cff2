// Opens what is written in place without blocking: a named pipe is opened once its reader comes, and a reader that stops
// reading blocks neither the event loop nor a thread, which Node would wait for at its exit.
import { constants, open } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { standardOutput } from './standard-output.js'
import { standardStream } from './target.js'

export interface OpenStream {
  readonly stream: Writable
  /** A stream of this process, which is not ended here. */
  readonly shared: boolean
}

/** Nothing reports that a reader has opened a pipe. */
const LOOK_FOR_READER_MS = 25

/** `undefined` for what a blocking write cannot hang on. Rejects with the reason of `stop` while there is no reader. */
export async function openStream(path: string, stop: AbortSignal): Promise<OpenStream | undefined> {
  const descriptor = standardStream(path)
  if (descriptor === 1) return { stream: standardOutput(), shared: true }
  if (descriptor === 2) return { stream: process.stderr, shared: true }
  const isPipe = await stat(path).then(
    (stat) => stat.isFIFO(),
    () => false,
  )
  if (!isPipe) return undefined
  for (;;) {
    stop.throwIfAborted()
    const fd = await openPipe(path)
    if (fd !== undefined)
      return { stream: new Socket({ fd, readable: false, writable: true }), shared: false }
    await untilAborted(stop, LOOK_FOR_READER_MS)
  }
}

/** `undefined` while nothing reads from it. */
function openPipe(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_WRONLY | constants.O_NONBLOCK, (error, fd) => {
      if (error === null) resolve(fd)
      else if (error.code === 'ENXIO') resolve(undefined)
      else reject(error)
    })
  })
}

function untilAborted(stop: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    stop.addEventListener('abort', done)
  })
}
