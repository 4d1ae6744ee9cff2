// Logs that its item began, then does what the item orders. Every way in which a job can end is one case.
import { openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from './orders.js'

const log = openSync(process.env.CHAOS_LOG as string, 'a')
/** Makes every item expensive enough to be recorded, so that none may begin twice. */
const leastMs = Number(process.env.CHAOS_LEAST_MS)

interface Context {
  readonly attempt: number
  readonly signal: AbortSignal
}

function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

/** For calls that pass no context. */
const NO_CONTEXT: Context = { attempt: 1, signal: new AbortController().signal }

export default function task(item: Order | string, context = NO_CONTEXT): unknown {
  const order: Order = typeof item === 'string' ? JSON.parse(item) : item
  const { i, ms = 0, size = 0 } = order
  writeSync(log, `${i} ${context.attempt} ${process.pid}\n`)
  if (leastMs > 0) spin(leastMs)
  switch (order.do) {
    case 'value':
      spin(ms)
      return { i }
    case 'sleep':
      return pause(ms).then(() => ({ i }))
    case 'big':
      return { i, pad: 'x'.repeat(size) }
    case 'print':
      console.log(`noise of ${i}`)
      process.stderr.write(`half a line of ${i}`)
      return { i }
    case 'throw':
      throw new RangeError(`bad ${i}`)
    case 'reject':
      return pause(ms).then(() => Promise.reject(new RangeError(`bad ${i}`)))
    case 'bigint':
      return { i, n: 1n }
    case 'flaky':
      if (context.attempt === 1) throw new RangeError(`bad ${i}`)
      return { i }
    case 'exit':
      return process.exit(i % 3)
    case 'exit-later':
      return pause(ms).then(() => process.exit(3))
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => {})
    case 'vanish':
      // Exits without running any handler, as a crash in native code does.
      return (process as unknown as { reallyExit(code: number): never }).reallyExit(9)
    case 'abort':
      return process.abort()
    case 'escape':
      setTimeout(() => {
        throw new RangeError(`escaped from ${i}`)
      }, ms)
      return new Promise(() => {})
    case 'hang':
      return new Promise(() => {})
    case 'hang-politely':
      return new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason))
      })
    case 'busy':
      for (;;);
    default:
      throw new TypeError(`unknown order ${JSON.stringify(order)}`)
  }
}
