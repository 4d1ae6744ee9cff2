// The event loop of a simulation: a clock that jumps to the next event, and everything that code can wait for: timers,
// immediates, ticks and promises. Replaces the globals, and must be imported before the code that captures them.
import { setFlagsFromString } from 'node:v8'
import type { Clock } from '../../src/clock.js'
import type { Ms } from '../../src/model.js'

// Runs every pending promise callback, and returns: a step of the simulation needs no turn of the real event loop.
setFlagsFromString('--allow-natives-syntax')
const runMicrotasks = new Function('%PerformMicrotaskCheckpoint()') as () => void

interface Event {
  readonly at: Ms
  readonly order: number
  readonly what: string
  readonly run: () => void
  readonly timer: Timer | undefined
}

interface Timer {
  isOver: boolean
}

const FIRST_MS: Ms = 1_000

let current: VirtualTime | undefined

export class VirtualTime implements Clock {
  #now = FIRST_MS
  #order = 0
  /** A binary heap. */
  readonly #events: Event[] = []
  #timers = 0
  #immediates: (() => void)[] = []
  #ticks: (() => void)[] = []
  #steps = 0

  now(): Ms {
    return this.#now
  }

  /** Events so far. */
  get steps(): number {
    return this.#steps
  }

  /** Timers of the code under test that have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers
  }

  wakeAt(at: Ms, wake: () => void): () => void {
    const timer: Timer = { isOver: false }
    this.#timers++
    // As a real timer, not before the next turn, and up to a millisecond late.
    this.#add({
      at: Math.max(Math.ceil(at), this.#now),
      order: this.#order++,
      what: 'timer',
      run: wake,
      timer,
    })
    return () => this.#end(timer)
  }

  #end(timer: Timer): void {
    if (timer.isOver) return
    timer.isOver = true
    this.#timers--
  }

  /** Something in the world around the code under test happens then. */
  at(at: Ms, what: string, run: () => void): void {
    this.#add({ at, order: this.#order++, what, run, timer: undefined })
  }

  #add(event: Event): void {
    const events = this.#events
    let i = events.length
    events.push(event)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(event, events[parent]!)) break
      events[i] = events[parent]!
      i = parent
    }
    events[i] = event
  }

  after(ms: Ms, what: string, run: () => void): void {
    this.at(this.#now + ms, what, run)
  }

  soon(tick: () => void): void {
    this.#ticks.push(tick)
  }

  immediate(run: () => void): () => void {
    this.#immediates.push(run)
    return () => {
      this.#immediates = this.#immediates.filter((other) => other !== run)
    }
  }

  /** When the next event happens; `undefined` if nothing ever does. */
  get nextAt(): Ms | undefined {
    if (this.#immediates.length > 0) return this.#now
    while (this.#events[0]?.timer?.isOver === true) this.#take()
    return this.#events[0]?.at
  }

  /** Forgets all that was to happen. */
  clear(): void {
    for (const { timer } of this.#events) if (timer !== undefined) this.#end(timer)
    this.#events.length = 0
    this.#immediates = []
    this.#ticks = []
  }

  /** The next event, and all that follows from it immediately. Returns what it was. */
  step(): string | undefined {
    if (this.#immediates.length > 0) {
      const immediates = this.#immediates
      this.#immediates = []
      for (const run of immediates) {
        run()
        this.settle()
      }
      return 'immediate'
    }
    let event = this.#take()
    while (event?.timer?.isOver === true) event = this.#take()
    if (event === undefined) return undefined
    this.#steps++
    if (event.at > this.#now) this.#now = event.at
    if (event.timer !== undefined) this.#end(event.timer)
    event.run()
    this.settle()
    return event.what
  }

  /** Ticks and promises, until there are none. */
  settle(): void {
    runMicrotasks()
    while (this.#ticks.length > 0) {
      const ticks = this.#ticks
      this.#ticks = []
      for (const tick of ticks) tick()
      runMicrotasks()
    }
  }

  /** Runs code with this clock instead of the real one. */
  inside<T>(run: () => T): T {
    const outer = current
    current = this
    try {
      return run()
    } finally {
      current = outer
    }
  }

  #take(): Event | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined || events.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++
      if (!isBefore(events[child]!, last)) break
      events[i] = events[child]!
      i = child
    }
    events[i] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

// ── the globals ──────────────────────────────────────────────────────────────────────────────────────────────────────

const real = {
  now: performance.now.bind(performance),
  hrtime: process.hrtime.bind(process),
  nextTick: process.nextTick.bind(process),
  setTimeout,
  clearTimeout,
  setImmediate,
  clearImmediate,
  random: Math.random,
  dateNow: Date.now,
}

/** By the real clock. */
export const realNow = real.now
export const realTurn = () => new Promise<void>((resolve) => real.setImmediate(resolve))

/** What code under test has in place of a timer of Node's. */
class Handle {
  readonly cancel: () => void
  constructor(cancel: () => void) {
    this.cancel = cancel
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}

/** False if it is one of Node's own. */
function cancel(timer: unknown): boolean {
  if (!(timer instanceof Handle)) return false
  timer.cancel()
  return true
}

const hrtime = ((before?: [number, number]) => {
  if (current === undefined) return real.hrtime(before)
  const now = current.now()
  return [Math.floor(now / 1e3), Math.round((now % 1e3) * 1e6)]
}) as typeof process.hrtime
hrtime.bigint = () => BigInt(Math.round((current?.now() ?? real.now()) * 1e6))

process.hrtime = hrtime
performance.now = () => current?.now() ?? real.now()
Date.now = () => (current === undefined ? real.dateNow() : 1e12 + current.now())
Math.random = () => {
  if (current === undefined) return real.random()
  throw new Error('a simulation has one seeded generator, and Math.random is not it')
}
process.nextTick = ((run: (...args: unknown[]) => void, ...args: unknown[]) => {
  if (current === undefined) return real.nextTick(run, ...args)
  return current.soon(() => run(...args))
}) as typeof process.nextTick
globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
  if (current === undefined) return real.setTimeout(run, ms, ...args)
  return new Handle(current.wakeAt(current.now() + Math.max(1, ms), () => run(...args)))
}) as unknown as typeof setTimeout
globalThis.clearTimeout = (timer) => {
  if (!cancel(timer)) real.clearTimeout(timer)
}
globalThis.setImmediate = ((run: (...args: unknown[]) => void, ...args: unknown[]) => {
  if (current === undefined) return real.setImmediate(run, ...args)
  return new Handle(current.immediate(() => run(...args)))
}) as unknown as typeof setImmediate
globalThis.clearImmediate = (immediate) => {
  if (!cancel(immediate)) real.clearImmediate(immediate)
}
