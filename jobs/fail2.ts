// Throws for item 2, a moment after it starts. The tracebacks in the README come from here.
import { setTimeout as pause } from 'node:timers/promises'
export default async function task(item: number) {
  await pause(200)
  if (item === 2) {
    throw new Error('Something bad happened!')
  }
  return item
}
