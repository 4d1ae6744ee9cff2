// Commands share what the system allows a worker: descriptors and processes. One that cannot start because they are used up
// waits until another one has ended.
import { readdirSync, readFileSync } from 'node:fs'
import type { Ms } from '../model.js'

const LACKS_SOMETHING = new Set<unknown>(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'])
/** What other processes have may become free. */
const TRY_AGAIN_MS: Ms = 100
/** While no command of this worker runs. */
const MAX_TRIES_ALONE = 20
/** Of the worker, and of a command while it starts. */
const SPARE_DESCRIPTORS = 16

export class Room {
  #running = 0
  #most: number
  #waiting: (() => void)[] = []

  constructor(descriptorsPerCommand: number) {
    this.#most = mostCommands(descriptorsPerCommand)
  }

  /** `start` calls `started` if there is a process, else it rejects with the error of the system. */
  async run<T>(signal: AbortSignal, start: (started: () => void) => Promise<T>): Promise<T> {
    for (let triesAlone = 0; ; ) {
      while (this.#running >= this.#most && !signal.aborted) await this.#untilOneEnds(signal)
      let hasStarted = false
      try {
        return await start(() => {
          hasStarted = true
          this.#running++
        })
      } catch (error) {
        if (hasStarted || signal.aborted || !LACKS_SOMETHING.has((error as NodeJS.ErrnoException).code))
          throw error
        if (this.#running === 0 && ++triesAlone === MAX_TRIES_ALONE) throw error
        await this.#untilOneEnds(signal)
      } finally {
        if (hasStarted) this.#oneHasEnded()
      }
    }
  }

  #oneHasEnded(): void {
    this.#running--
    for (const tryAgain of this.#waiting.splice(0)) tryAgain()
  }

  #untilOneEnds(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', go)
        resolve()
      }
      const timer = setTimeout(go, TRY_AGAIN_MS)
      signal.addEventListener('abort', go, { once: true })
      this.#waiting.push(go)
    })
  }
}

/**
 * As many as the descriptors that are free now allow. Trying it out would use them up: Node does not close the pipes of a process
 * that it could not start for lack of descriptors.
 */
function mostCommands(descriptorsPerCommand: number): number {
  try {
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1])
    const free = limit - readdirSync('/proc/self/fd').length - SPARE_DESCRIPTORS
    return Math.max(1, Math.floor(free / descriptorsPerCommand)) || Number.POSITIVE_INFINITY
  } catch {
    // Not Linux.
    return Number.POSITIVE_INFINITY
  }
}
