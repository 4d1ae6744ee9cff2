// Logs the outcome of each item, in the parent, as it settles.
import { appendFileSync } from 'node:fs'

const log = process.env.CHAOS_SETTLED as string

export function callback(result: { readonly i: number }, index: number) {
  appendFileSync(log, `${index} ok ${result.i}\n`)
}

export function errorCallback(error: Error, index: number) {
  appendFileSync(log, `${index} ${error.name}\n`)
}
