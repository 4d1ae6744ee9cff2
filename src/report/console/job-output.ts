// Lines that jobs print, under `--job-output` and `--tag`. They are sanitised in every mode: even a log file may be
// shown on a terminal later.
import { itemIndexAt, type RunEvent, type SettledRange } from '../../model.js'
import type { JobOutput, RunPlan } from '../../plan.js'
import { LineBuffer } from './line-buffer.js'

type OutputEvent = Extract<RunEvent, { type: 'worker-output' }>

export interface JobOutputReport {
  print(event: OutputEvent): void
  settled(settled: SettledRange): void
  /** Called just before a failure is shown; `shown` is false for a repeated failure, which is only counted. */
  failed(index: number, shown: boolean): void
  /** Writes what is still held back from items that never settled. */
  finish(): void
}

export function jobOutputOf({ jobOutput, verbosity }: Pick<RunPlan, 'jobOutput' | 'verbosity'>): JobOutput {
  return jobOutput ?? (verbosity === 'quiet' ? 'none' : 'lines')
}

interface JobOutputOptions {
  readonly mode: JobOutput
  readonly tag: boolean
  readonly write: (text: string) => void
  readonly sanitise: (lines: string) => string
}

const ignore = () => {}
const silent: JobOutputReport = { print: ignore, settled: ignore, failed: ignore, finish: ignore }

export function createJobOutput(options: JobOutputOptions): JobOutputReport {
  const { mode, write } = options
  const format = formatter(options)
  switch (mode) {
    case 'none':
      return silent
    case 'lines':
      return { ...silent, print: (event) => write(`${format(event)}\n`) }
    case 'group':
    case 'failed':
      return new HeldOutput(mode, write, format)
    default:
      return mode satisfies never
  }
}

/** Sanitises lines and, with `--tag`, puts item and worker in front of each. */
function formatter({ tag, sanitise }: JobOutputOptions): (event: OutputEvent) => string {
  return ({ lines, index, workerId }) => {
    const text = sanitise(lines)
    if (!tag) return text
    const prefix = `[${index === undefined ? '' : `#${index} `}w${workerId}] `
    return prefix + text.replaceAll('\n', `\n${prefix}`)
  }
}

/** A line may arrive after its item settled, because pipes and messages race: so many settled ranges are remembered. */
const MAX_RECENT_RANGES = 64

/** Characters held back for all items together. */
const MAX_HELD_CHARACTERS = 64 * 1024 * 1024

interface RecentRange {
  readonly first: number
  readonly last: number
  /** By index of the failed item: whether its failure has been reported yet, and how. */
  readonly failed: Map<number, 'pending' | 'shown' | 'counted'>
}

/** Holds back what an item prints until it settles (`group`), or until it fails (`failed`). */
class HeldOutput implements JobOutputReport {
  readonly #mode: 'group' | 'failed'
  readonly #write: (text: string) => void
  readonly #format: (event: OutputEvent) => string
  /** By item index. */
  readonly #held = new Map<number, LineBuffer>()
  #heldSize = 0
  readonly #recent: RecentRange[] = []

  constructor(
    mode: 'group' | 'failed',
    write: (text: string) => void,
    format: (event: OutputEvent) => string,
  ) {
    this.#mode = mode
    this.#write = write
    this.#format = format
  }

  print(event: OutputEvent): void {
    const text = this.#format(event)
    const { index } = event
    // Without a known item there is nothing to wait for.
    if (index === undefined) return this.#write(`${text}\n`)
    const action = this.#actionFor(index)
    if (action === 'show') this.#write(`${text}\n`)
    else if (action === 'hold') this.#hold(index, text)
  }

  #actionFor(index: number): 'show' | 'hold' | 'drop' {
    const range = this.#rangeOf(index)
    if (range === undefined) return 'hold'
    if (this.#mode === 'group') return 'show'
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
    const before = buffer.size
    for (const line of text.split('\n')) buffer.push(line)
    this.#heldSize += buffer.size - before
    if (this.#heldSize > MAX_HELD_CHARACTERS) this.#cutOldest()
  }

  #cutOldest(): void {
    for (const buffer of this.#held.values()) {
      if (buffer.size === 0) continue
      this.#heldSize -= buffer.size
      return buffer.cut()
    }
  }

  settled({ chunk, from, count, failures }: SettledRange): void {
    const first = itemIndexAt(chunk, from)
    const last = itemIndexAt(chunk, from + count - 1)
    const failed = new Map(failures.map(({ offset }) => [itemIndexAt(chunk, offset), 'pending' as const]))
    this.#recent.push({ first, last, failed })
    if (this.#recent.length > MAX_RECENT_RANGES) this.#recent.shift()
    // Loops over the held items, because they are few; a range can have very many items.
    for (const index of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (index < first || index > last) continue
      if (this.#mode === 'group') this.#flush(index)
      else if (!failed.has(index)) this.#forget(index)
    }
  }

  failed(index: number, shown: boolean): void {
    this.#rangeOf(index)?.failed.set(index, shown ? 'shown' : 'counted')
    if (shown) this.#flush(index)
    else this.#forget(index)
  }

  finish(): void {
    if (this.#mode === 'group') for (const index of [...this.#held.keys()]) this.#flush(index)
    this.#held.clear()
  }

  #flush(index: number): void {
    const lines = this.#held.get(index)?.lines()
    if (lines !== undefined) this.#write(`${lines.join('\n')}\n`)
    this.#forget(index)
  }

  #forget(index: number): void {
    this.#heldSize -= this.#held.get(index)?.size ?? 0
    this.#held.delete(index)
  }
}
