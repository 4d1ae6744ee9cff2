// The live block at the foot of the terminal, drawn by ora: what others write to the terminal goes above it, whole.
// Knows how to draw and to step aside; not what the text says. Loaded only when there is something to draw.
import type { WriteStream } from 'node:tty'
import ora from 'ora'
import stringWidth from 'string-width'
import { isForeground } from './foreground.js'
import { LEAST_COLUMNS } from './progress-mode.js'
import type { Size } from './progress-text.js'

/** Eight times a second is smooth, and costs next to nothing. */
const INTERVAL_MS = 125
/** After a line above it the block is drawn again at once, unless lines come in a flood. */
const REDRAW_MS = 50

export interface BarOptions {
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
  const direct = terminal.write.bind(terminal)
  const frames = ora({
    stream: terminal,
    spinner: { interval: INTERVAL_MS, frames: [...spinner] },
    color: false,
    isEnabled: true,
    // In raw mode Ctrl-C would be a character.
    discardStdin: false,
    // A cursor that is never hidden need not be restored, whatever ends this process. The handlers that ora would
    // install for it would also stand between us and the signal that we raise on ourselves in the end.
    hideCursor: false,
  })
  let drawn: readonly string[] = []
  let timer: NodeJS.Timeout | undefined
  /** Lines of this turn of the event loop: the block steps aside once for all of them. */
  let held = ''
  let due: NodeJS.Immediate | undefined
  let flushedAt = 0
  let release = () => {}

  const size = () => ({ columns: terminal.columns, rows: terminal.rows })
  const compose = () => {
    frames.text = text(size(), stringWidth)
    drawn = `  ${frames.text}`.split('\n')
  }

  /** A narrower terminal has wrapped what was drawn: ora clears as many lines as it drew. */
  function resized(): void {
    if (!frames.isSpinning) return
    const lines = drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / terminal.columns)),
      0,
    )
    if (lines > drawn.length) direct(`\r\x1b[${lines - 1}A\x1b[J${'\n'.repeat(drawn.length - 1)}`)
    if (terminal.columns < LEAST_COLUMNS) return pause()
    compose()
    frames.render()
  }

  function flush(): void {
    clearImmediate(due)
    due = undefined
    if (held === '') return
    frames.clear()
    direct(held)
    held = ''
    flushedAt = performance.now()
    drawn = []
  }

  function begin(): void {
    if (terminal.columns < LEAST_COLUMNS || !isForeground()) return
    compose()
    frames.start()
    release = passBy(stdout, frames)
  }

  function pause(): void {
    release()
    release = () => {}
    flush()
    frames.stop()
  }

  return {
    start() {
      terminal.on('resize', resized)
      // Where nothing is to be drawn, that may change.
      timer = setInterval(() => (frames.isSpinning ? compose() : begin()), INTERVAL_MS)
      begin()
    },
    write(lines) {
      if (!frames.isSpinning) return void direct(lines)
      held += lines
      due ??= setImmediate(() => {
        const flood = performance.now() - flushedAt < REDRAW_MS
        flush()
        if (flood) return
        compose()
        frames.render()
      })
    },
    stop() {
      terminal.off('resize', resized)
      clearInterval(timer)
      pause()
    },
  }
}

/** ora watches `process.stdout`; with callbacks, which are kept from it, that is not where results go. */
function passBy(stdout: WriteStream, frames: { clear(): unknown; render(): unknown }): () => void {
  if (!stdout.isTTY || Object.hasOwn(stdout, 'write')) return () => {}
  const write = stdout.write.bind(stdout) as WriteStream['write']
  stdout.write = ((...args: Parameters<WriteStream['write']>) => {
    frames.clear()
    const more = write(...args)
    frames.render()
    return more
  }) as WriteStream['write']
  return () => {
    Reflect.deleteProperty(stdout, 'write')
  }
}
