// A job that waits, as for a network: each item for so many milliseconds.
import { setTimeout } from 'node:timers/promises'

export const even = (n) => setTimeout(50, n)

/** One item in a hundred takes fifty times as long. */
export const uneven = (n) => setTimeout(n % 100 === 0 ? 1000 : 20, n)

export const endless = () => new Promise(() => {})

export default even
