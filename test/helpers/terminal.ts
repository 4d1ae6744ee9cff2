// Runs the command line on a pseudo-terminal, made by python3, and reads what its screen shows in the end.
// Interprets the few control sequences that live output needs; an unknown one stays in the text, where a test finds it.
import { spawnSync } from 'node:child_process'
import stringWidth from 'string-width'
import { eventually } from './eventually.js'
import { startShell } from './run-cli.js'
import { tempSpace } from './temp-space.js'

const PTY = `
import fcntl, os, pty, select, struct, sys, termios
columns, rows = int(sys.argv[1]), int(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
sources = [terminal, 0]
while True:
    ready = select.select(sources, [], [])[0]
    if 0 in ready:
        keys = os.read(0, 4096)
        if keys: os.write(terminal, keys)
        else: sources.remove(0)
    if terminal in ready:
        try: data = os.read(terminal, 65536)
        except OSError: break
        if not data: break
        os.write(1, data)
status = os.waitpid(pid, 0)[1]
sys.stderr.write("signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "code %d" % os.WEXITSTATUS(status))
`

// The interpreter itself: what `python3` names may be a slow script that only finds it.
const python = spawnSync('python3', ['-c', 'import pty, sys; print(sys.executable)'], { encoding: 'utf8' })
export const hasTerminal = python.status === 0
if (!hasTerminal)
  console.warn('python3 with its pty module is missing: what is live on a terminal is NOT tested')

interface TerminalRun {
  /** Resolves when this was written to the terminal, control sequences included. */
  shows(text: string): Promise<void>
  type(keys: string): void
  /** Everything that was written, what an endless screen shows of it, and how the run exited: `code 0`, `signal 2`. */
  ended(): Promise<{ raw: string; screen: string[]; status: string }>
}

interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Record<string, string>
}

export function runOnTerminal(args: readonly string[], options?: TerminalOptions): TerminalRun {
  return start(['"$NODE"', '"$POOLRUN_JS"', ...args.map((arg) => `'${arg}'`)], options)
}

/** Runs a bash script in which `poolrun` is the command under test. */
export function runScriptOnTerminal(script: string, options?: TerminalOptions): TerminalRun {
  const space = tempSpace()
  const file = space.write({ 'script.sh': `poolrun() { "$NODE" "$POOLRUN_JS" "$@"; }\n${script}\n` })
  return start(['bash', `'${file}'`], options)
}

function start(
  command: readonly string[],
  { columns = 80, rows = 24, env = {} }: TerminalOptions = {},
): TerminalRun {
  const space = tempSpace()
  space.write({ 'terminal.py': PTY })
  const run = startShell(`exec "$PYTHON" "$PTY" ${columns} ${rows} ${command.join(' ')}`, {
    env: {
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      PTY: space.path('terminal.py'),
      PYTHON: python.stdout.trim(),
      ...env,
    },
  })
  let text = ''
  run.child.stdout.on('data', (data: Buffer | string) => {
    text += data
  })
  return {
    shows: (part) =>
      eventually(`${part} on the terminal`, () => text.includes(part) || undefined).then(() => {}),
    type: (keys) => void run.child.stdin.write(keys),
    async ended() {
      const { stdout, stderr } = await run.ended()
      return { raw: stdout, screen: readScreen(stdout, columns), status: stderr }
    },
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are the subject
const PART = /\x1b\[([?\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b/g

/** Lines up to the last one that is not empty, without trailing spaces. */
function readScreen(raw: string, columns: number): string[] {
  // The cell behind a wide character is empty.
  const rows: string[][] = []
  // What has no width and no character before it.
  const strays: string[] = []
  let row = 0
  let column = 0
  const cellsOf = (at: number) => {
    rows[at] ??= []
    return rows[at]
  }
  const cutAt = (cells: string[], at: number) => {
    if (cells[at] === '') cells[at - 1] = ' '
    cells.length = Math.min(cells.length, at)
  }
  const put = (character: string, width: number) => {
    if (column + width > columns) {
      row++
      column = 0
    }
    const cells = cellsOf(row)
    while (cells.length < column) cells.push(' ')
    if (width === 0 && column === 0) strays[row] = (strays[row] ?? '') + character
    else if (width === 0) cells[column - 1] += character
    else {
      if (cells[column] === '') cells[column - 1] = ' '
      if (cells[column + width] === '') cells[column + width] = ' '
      cells[column] = character
      for (let behind = 1; behind < width; behind++) cells[column + behind] = ''
      column += width
    }
  }
  const print = (text: string) => {
    if (/^[ -~]*$/.test(text)) for (const character of text) put(character, 1)
    else for (const { segment } of new Intl.Segmenter().segment(text)) put(segment, stringWidth(segment))
  }
  for (const [part, parameters = '', final] of raw.matchAll(PART)) {
    const count = Number(parameters || 1)
    if (part === '\r' || final === 'G') column = final === 'G' ? count - 1 : 0
    else if (part === '\n') row++
    else if (final === 'A') row = Math.max(0, row - count)
    else if (final === 'K') {
      if (parameters !== '1') cutAt(cellsOf(row), parameters === '2' ? 0 : column)
    } else if (final === 'J') {
      cutAt(cellsOf(row), column)
      rows.length = row + 1
    } else if (final === 'm' || (final !== undefined && parameters === '?2026')) continue
    else print(part)
  }
  const seen = Array.from(rows, (cells, at) => ((strays[at] ?? '') + (cells ?? []).join('')).trimEnd())
  return seen.slice(0, seen.findLastIndex((line) => line !== '') + 1)
}
