// The live block at the bottom of the terminal. Other text on the terminal appears above it, also what other processes
// write there: the cursor waits on the empty line above the block, and only what is below the cursor is erased.
// Import lazily: only a run that draws needs it.
import type { WriteStream } from 'node:tty'
import ora from 'ora'
import stringWidth from 'string-width'
import { MIN_COLUMNS } from './progress-mode.js'
import type { Size } from './progress-text.js'
import { isForeground } from './tty-foreground.js'

/** Eight times a second looks smooth and costs next to nothing. */
const INTERVAL_MS = 125
/** After text above it, the block is drawn again immediately, unless the last such text came less than this ago. */
const REDRAW_MS = 50
/** Terminals that know these show all of a block at the same time; others ignore them. */
const BEGIN_FRAME = '\x1b[?2026h'
const END_FRAME = '\x1b[?2026l'
const ERASE_BELOW = '\x1b[J'

interface BarOptions {
  readonly terminal: WriteStream
  /** Where results go. If it is a terminal, they have to appear above the block, too. */
  readonly stdout: WriteStream
  readonly spinner: readonly string[]
  /** The text after the spinner: one or more lines, all narrower than the terminal. */
  readonly text: (size: Size, width: (text: string) => number) => string
  /** Where `/proc` does not say it. */
  readonly isForeground?: (() => boolean) | undefined
}

export class Bar {
  readonly #terminal: WriteStream
  readonly #stdout: WriteStream
  readonly #text: BarOptions['text']
  readonly #isForeground: BarOptions['isForeground']
  /** Writes to the terminal without going through the hook. */
  readonly #writeDirectly: (text: string) => boolean
  /**
   * Makes the frames of the block, and is never started. If it were, its timer would keep the process alive, its signal
   * handlers would get in the way of the signal that poolrun raises on itself at the end, and it would erase what other
   * processes have written.
   */
  readonly #block: ReturnType<typeof ora>
  /** The block is on the terminal now. The cursor stays visible: if the process is killed, nobody shows it again. */
  #isDrawn = false
  #isLive = false
  /** The last text above the block did not end its line. */
  #isMidLine = false
  #lastWriteAt = 0
  /** Lines written in this turn of the event loop: the block is cleared once for all of them. */
  #pending = ''
  #flush: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #unhook: readonly (() => void)[] = []

  constructor({ terminal, stdout, spinner, text, isForeground }: BarOptions) {
    this.#terminal = terminal
    this.#isForeground = isForeground
    this.#stdout = stdout
    this.#text = text
    this.#writeDirectly = terminal.write.bind(terminal)
    this.#block = ora({
      stream: terminal,
      // Shorter than ours, because timers are not exact: ora repeats a frame until its interval is over.
      spinner: { interval: INTERVAL_MS - 25, frames: [...spinner] },
      color: false,
      isEnabled: true,
    })
  }

  start(): void {
    this.#terminal.on('resize', this.#resized)
    // Also while nothing can be drawn: the terminal may grow, or the process come to the foreground.
    this.#timer = setInterval(() => (this.#isLive ? this.#draw() : this.#goLive()), INTERVAL_MS).unref()
    this.#goLive()
  }

  /** Writes whole lines above the block. */
  write(lines: string): void {
    if (!this.#isLive) return void this.#writeDirectly(lines)
    this.#pending += lines
    this.#flush ??= setImmediate(() => this.#flushPending())
  }

  /** Leaves nothing of the block behind. */
  stop(): void {
    this.#terminal.off('resize', this.#resized)
    clearInterval(this.#timer)
    if (this.#isLive) this.#pause()
  }

  #goLive(): void {
    if (this.#terminal.columns < MIN_COLUMNS || !isForeground(this.#isForeground)) return
    this.#isLive = true
    this.#unhook = [this.#terminal, this.#stdout].map((stream) => this.#hook(stream))
    this.#draw()
  }

  #pause(): void {
    this.#flushPending()
    this.#clear()
    this.#isLive = false
    for (const unhook of this.#unhook) unhook()
    this.#unhook = []
  }

  #draw(): void {
    if (!this.#isLive || this.#isMidLine) return
    const { columns, rows } = this.#terminal
    this.#block.text = this.#text({ columns, rows }, stringWidth)
    const lines = this.#block.frame().split('\n')
    // Line ends make room where the terminal has to scroll. What another process wrote on the cursor's line stays.
    const drawn = lines.map((line) => `\n${line}`).join('')
    this.#writeDirectly(`${BEGIN_FRAME}${ERASE_BELOW}${drawn}\r\x1b[${lines.length}A${END_FRAME}`)
    this.#isDrawn = true
  }

  /** With what was typed and shows on the cursor's line, such as `^C`. */
  #clear(): void {
    if (!this.#isDrawn) return
    this.#writeDirectly(`\r${ERASE_BELOW}`)
    this.#isDrawn = false
  }

  #flushPending(): void {
    clearImmediate(this.#flush)
    this.#flush = undefined
    const lines = this.#pending
    this.#pending = ''
    if (lines !== '') this.#writeAbove(true, () => this.#writeDirectly(lines))
  }

  #writeAbove<T>(endsLine: boolean, write: () => T): T {
    this.#clear()
    const result = write()
    this.#isMidLine = !endsLine
    const now = performance.now()
    const isFlood = now - this.#lastWriteAt < REDRAW_MS
    this.#lastWriteAt = now
    if (!isFlood) this.#draw()
    return result
  }

  /** Lets what others write to the terminal (results, callbacks, Node's own warnings) appear above the block. */
  #hook(stream: WriteStream): () => void {
    if (!stream.isTTY) return () => {}
    const write = stream.write
    stream.write = ((...args: Parameters<typeof write>) => {
      const pass = () => write.apply(stream, args)
      return args[0].length === 0 ? pass() : this.#writeAbove(endsLine(args[0]), pass)
    }) as typeof write
    return () => {
      stream.write = write
    }
  }

  readonly #resized = (): void => {
    const { columns } = this.#terminal
    if (columns < MIN_COLUMNS) this.#pause()
    else this.#draw()
  }
}

function endsLine(chunk: string | Uint8Array): boolean {
  return typeof chunk === 'string' ? chunk.endsWith('\n') : chunk.at(-1) === 0x0a
}
