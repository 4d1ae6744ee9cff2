// Whether this process is in the foreground of its terminal, by `ps`: for systems without `/proc`, such as macOS.
import { execFile } from 'node:child_process'
import type { Ms } from '../model.js'

/** A start of `ps` costs some milliseconds. */
const ASK_EVERY_MS: Ms = 1_000
const PS_TIMEOUT_MS: Ms = 5_000

/** What tests replace. */
export interface PsSystem {
  readonly now: () => Ms
  readonly ps: (args: readonly string[], onOutput: (output: string) => void) => void
}

const SYSTEM: PsSystem = {
  now: () => performance.now(),
  ps(args, onOutput) {
    const options = { timeout: PS_TIMEOUT_MS, windowsHide: true }
    execFile('ps', args, options, (_error, stdout) => onOutput(stdout)).unref()
  },
}

/** The returned function does not wait: it gives the last answer of `ps`, at first yes, and asks for a newer one. */
export function foregroundByPs({ now, ps }: PsSystem = SYSTEM): () => boolean {
  let answer = true
  let askedAt = Number.NEGATIVE_INFINITY
  return () => {
    if (now() - askedAt >= ASK_EVERY_MS) {
      askedAt = now()
      ps(['-o', 'pgid=,tpgid=', '-p', String(process.pid)], (output) => {
        const [, group, foreground] = /^\s*(\d+)\s+(-?\d+)\s*$/.exec(output) ?? []
        // Without a controlling terminal there is no background.
        answer = foreground === undefined || Number(foreground) <= 0 || foreground === group
      })
    }
    return answer
  }
}
