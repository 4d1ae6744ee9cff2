// What becomes of the lines that jobs print: `--job-output` and `--tag`. Lines are made harmless in every mode,
// as a CI log is shown on a terminal later. Knows nothing of failures but which items failed.
import { itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { JobOutput } from '../../plan.js'
import { LineBuffer } from './line-buffer.js'

type OutputEvent = Extract<RunEvent, { type: 'worker-output' }>

export interface JobOutputReport {
  line(event: OutputEvent): void
  settled(settled: SettledRange): void
  /** Just before the item's failure is shown; `shown` is false for a repeated one that is only counted. */
  failed(index: number, shown: boolean): void
  /** The end: whatever is still held back of items that never settled. */
  finish(): void
}

interface JobOutputOptions {
  readonly mode: JobOutput
  readonly tag: boolean
  readonly write: (text: string) => void
  readonly sanitise: (line: string) => string
}

const nothing = () => {}
const silent: JobOutputReport = { line: nothing, settled: nothing, failed: nothing, finish: nothing }

export function createJobOutput(options: JobOutputOptions): JobOutputReport {
  const { mode, write } = options
  const format = formatter(options)
  switch (mode) {
    case 'none':
      return silent
    case 'lines':
      return { ...silent, line: (event) => write(`${format(event)}\n`) }
    case 'group':
    case 'failed':
      return new HeldOutput(mode, write, format)
    default:
      return mode satisfies never
  }
}

function formatter({ tag, sanitise }: JobOutputOptions): (event: OutputEvent) => string {
  return ({ line, index, workerId }) => {
    const item = index === undefined ? '' : `#${index} `
    return `${tag ? `[${item}w${workerId}] ` : ''}${sanitise(line)}`
  }
}

/** Settled ranges remembered for lines that come after their item settled: pipes and messages race. */
const RECENT = 64

interface RecentRange {
  readonly first: number
  readonly last: number
  /** The failed ones, and what became of their failure. */
  readonly failed: Map<number, 'pending' | 'shown' | 'counted'>
}

class HeldOutput implements JobOutputReport {
  readonly #held = new Map<number, LineBuffer>()
  readonly #recent: RecentRange[] = []

  constructor(
    readonly mode: 'group' | 'failed',
    readonly write: (text: string) => void,
    readonly format: (event: OutputEvent) => string,
  ) {}

  line(event: OutputEvent): void {
    const text = this.format(event)
    const { index } = event
    // Nobody knows whose it is: showing it is the only way not to lose it.
    const fate = index === undefined ? 'show' : this.#fate(index)
    if (fate === 'show') this.write(`${text}\n`)
    else if (fate === 'hold' && index !== undefined) this.#hold(index, text)
  }

  #fate(index: number): 'show' | 'hold' | 'drop' {
    const range = this.#rangeOf(index)
    if (range === undefined) return 'hold'
    if (this.mode === 'group') return 'show'
    const failure = range.failed.get(index)
    return failure === 'pending' ? 'hold' : failure === 'shown' ? 'show' : 'drop'
  }

  #rangeOf(index: number): RecentRange | undefined {
    return this.#recent.find(({ first, last }) => index >= first && index <= last)
  }

  #hold(index: number, text: string): void {
    let buffer = this.#held.get(index)
    if (buffer === undefined) {
      buffer = new LineBuffer()
      this.#held.set(index, buffer)
    }
    buffer.push(text)
  }

  settled({ chunk, from, count, failures }: SettledRange): void {
    const first = itemIndexAt(chunk, from)
    const last = itemIndexAt(chunk, from + count - 1)
    const failed = new Map(failures.map(({ offset }) => [itemIndexAt(chunk, offset), 'pending' as const]))
    this.#recent.push({ first, last, failed })
    if (this.#recent.length > RECENT) this.#recent.shift()
    // Few items hold output at a time, a range can be long: the other way round would visit every item.
    for (const index of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (index < first || index > last) continue
      if (this.mode === 'group') this.#flush(index)
      else if (!failed.has(index)) this.#held.delete(index)
    }
  }

  failed(index: number, shown: boolean): void {
    this.#rangeOf(index)?.failed.set(index, shown ? 'shown' : 'counted')
    if (shown) this.#flush(index)
    else this.#held.delete(index)
  }

  finish(): void {
    if (this.mode === 'group') for (const index of [...this.#held.keys()]) this.#flush(index)
    this.#held.clear()
  }

  #flush(index: number): void {
    const lines = this.#held.get(index)?.lines()
    if (lines !== undefined) this.write(`${lines.join('\n')}\n`)
    this.#held.delete(index)
  }
}
