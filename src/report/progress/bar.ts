// The live block at the foot of the terminal, drawn by ora: what others write to the terminal goes above it, whole.
// Knows how to draw and to step aside; not what the text says. Loaded only when there is something to draw.
import type { WriteStream } from 'node:tty'
import ora from 'ora'
import stringWidth from 'string-width'
import { LEAST_COLUMNS } from './progress-mode.js'
import type { Size } from './progress-text.js'
import { isForeground } from './tty-foreground.js'

/** Eight times a second is smooth, and costs next to nothing. */
const INTERVAL_MS = 125
/** After a line above it the block is drawn again at once, unless lines come in a flood. */
const REDRAW_MS = 50

interface BarOptions {
  readonly terminal: WriteStream
  /** Where results go: if that is a terminal, they have to pass by the block, too. */
  readonly stdout: WriteStream
  readonly spinner: readonly string[]
  /** What stands behind the spinner, several lines if need be, none as wide as the terminal. */
  readonly text: (size: Size, width: (text: string) => number) => string
}

export interface Bar {
  start(): void
  /** Whole lines, above. */
  write(text: string): void
  /** Leaves nothing behind. */
  stop(): void
}

export function createBar({ terminal, stdout, spinner, text }: BarOptions): Bar {
  // ora is never started: its own timer would keep a process alive in which nothing is left to happen, its handlers
  // would stand between us and the signal that we raise on ourselves in the end, and a cursor that is never hidden need
  // not be restored, whatever ends this process.
  const block = ora({
    stream: terminal,
    // Timers are late rather than early: every drawing is to show the next frame.
    spinner: { interval: INTERVAL_MS - 25, frames: [...spinner] },
    color: false,
    isEnabled: true,
  })
  const direct = terminal.write.bind(terminal)
  /** As it stands on the terminal. */
  let drawn: readonly string[] = []
  let live = false
  /** What is being written is the block. */
  let drawing = false
  /** Someone has begun a line and not ended it. */
  let midLine = false
  let wroteAt = 0
  /** Lines of this turn of the event loop: the block steps aside once for all of them. */
  let held = ''
  let due: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined
  let unhook: readonly (() => void)[] = []

  function ours(write: () => void): void {
    drawing = true
    try {
      write()
    } finally {
      drawing = false
    }
  }

  function draw(): void {
    if (!live || midLine) return
    const { columns, rows } = terminal
    block.text = text({ columns, rows }, stringWidth)
    drawn = `  ${block.text}`.split('\n')
    ours(() => block.render())
  }

  function clear(): void {
    if (drawn.length === 0) return
    ours(() => block.clear())
    drawn = []
  }

  function stepAside<T>(endsLine: boolean, write: () => T): T {
    clear()
    const written = write()
    midLine = !endsLine
    const flood = performance.now() - wroteAt < REDRAW_MS
    wroteAt = performance.now()
    if (!flood) draw()
    return written
  }

  function flush(): void {
    clearImmediate(due)
    due = undefined
    const lines = held
    held = ''
    if (lines !== '') stepAside(true, () => direct(lines))
  }

  /** Whoever writes to the terminal past us: results, callbacks, Node's own warnings. */
  function hook(stream: WriteStream): () => void {
    if (!stream.isTTY) return () => {}
    const write = stream.write
    stream.write = ((...args: Parameters<typeof write>) => {
      const pass = () => write.apply(stream, args)
      return drawing || args[0].length === 0 ? pass() : stepAside(endsLine(args[0]), pass)
    }) as typeof write
    return () => {
      stream.write = write
    }
  }

  /** A narrower terminal has wrapped what was drawn: ora clears as many lines as it drew. */
  function resized(): void {
    const { columns } = terminal
    const lines = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0)
    if (lines > drawn.length) direct(`\r\x1b[${lines - 1}A\x1b[J${'\n'.repeat(drawn.length - 1)}`)
    if (columns < LEAST_COLUMNS) pause()
    else draw()
  }

  function begin(): void {
    if (terminal.columns < LEAST_COLUMNS || !isForeground()) return
    live = true
    unhook = [terminal, stdout].map(hook)
    draw()
  }

  function pause(): void {
    flush()
    clear()
    live = false
    for (const restore of unhook) restore()
    unhook = []
  }

  return {
    start() {
      terminal.on('resize', resized)
      // Where nothing can be drawn, that may change.
      timer = setInterval(() => (live ? draw() : begin()), INTERVAL_MS).unref()
      begin()
    },
    write(lines) {
      if (!live) return void direct(lines)
      held += lines
      due ??= setImmediate(flush)
    },
    stop() {
      terminal.off('resize', resized)
      clearInterval(timer)
      if (live) pause()
    },
  }
}

function endsLine(chunk: string | Uint8Array): boolean {
  return typeof chunk === 'string' ? chunk.endsWith('\n') : chunk.at(-1) === 0x0a
}
