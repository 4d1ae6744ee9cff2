// The defaults of src/defaults.ts as text, for `--help` and the documentation.
import { MIN_RESTARTS, RESTARTS_PER_PROCESS } from '../defaults.js'
import type { Ms } from '../model.js'

/** As a user would type it: `0`, `500ms`, `60s`. */
export function durationText(ms: Ms): string {
  if (ms === 0) return '0'
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** `100,000` */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `32 MiB` */
export function mebibyteText(bytes: number): string {
  return `${bytes / 1024 ** 2} MiB`
}

export const RESTART_LIMIT_TEXT = `${RESTARTS_PER_PROCESS} × processes, at least ${MIN_RESTARTS}`
