// What progress says, as text: the live block by the size of the terminal, the plain line of a log, the answer to
// SIGUSR2. Pure; measures with what it is given, so that it needs no terminal to be tried.
import { workerTitle } from '../../errors/messages.js'
import { previewText } from '../../errors/sanitise.js'
import { itemText } from '../../framing/items.js'
import { type Counts, itemIndexAt, type Ms, type WorkerActivity } from '../../model.js'
import type { Charset } from '../charset.js'
import type { Colors } from '../colors.js'
import { clockTime, itemTime, percent, rateText } from '../units.js'
import { timeLeft } from './pace.js'

export interface ProgressState {
  readonly command: string
  readonly counts: Counts & { readonly total: number | undefined }
  readonly elapsedMs: Ms
  /** Items a second. */
  readonly rate: number | undefined
  readonly workers: readonly WorkerActivity[]
}

export interface RenderContext {
  readonly letters: Charset
  readonly painter: Colors
  /** Columns of a text. */
  readonly width: (text: string) => number
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Below it a terminal has better use for its lines. */
const LEAST_ROWS = 10
const BAR_COLUMNS = 20
/** Of the spinner that stands before it. */
const SPINNER_COLUMNS = 2
const GAP = '  '
/** An item is named by its text, too, when one has had the time to read it. */
const NAMED_AFTER_MS: Ms = 1_000
const ITEM_CHARACTERS = 200

// ── live ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The line behind the spinner and, where there is room, one a worker. No line is as wide as the terminal. */
export function liveText(state: ProgressState, size: Size, look: RenderContext): string {
  const room = size.columns - 1
  return [
    liveLine(state, room - SPINNER_COLUMNS, look),
    ...workerLines(state, { ...size, columns: room }, look),
  ].join('\n')
}

interface Part {
  readonly text: string
  readonly paint?: (text: string) => string
  /** The lowest goes first when there is not enough room. */
  readonly worth: number
}

function liveLine(
  { command, counts, elapsedMs, rate }: ProgressState,
  room: number,
  look: RenderContext,
): string {
  const { painter, letters } = look
  const { total, failed } = counts
  const done = counts.ok + failed
  const left = total === undefined ? undefined : timeLeft(total - done, rate)
  const parts: Part[] = [{ text: command, worth: 2 }]
  if (total !== undefined) parts.push({ text: bar(done, total, letters), paint: painter.good, worth: 1 })
  parts.push({ text: total === undefined ? `${done} done` : `${done}/${total}`, worth: 9 })
  if (total !== undefined) parts.push({ text: percent(done, total), worth: 4 })
  if (rate !== undefined) parts.push({ text: rateText(rate), worth: 5 })
  if (left === undefined) parts.push({ text: clockTime(elapsedMs), worth: 3 })
  else parts.push({ text: `ETA ${clockTime(left)}`, worth: 6 })
  if (failed > 0) parts.push({ text: `${failed} failed`, paint: painter.bad, worth: 8 })
  const width = (texts: readonly Part[]) => texts.map(({ text }) => text).join(GAP).length
  while (parts.length > 1 && width(parts) > room) {
    const least = Math.min(...parts.map(({ worth }) => worth))
    parts.splice(
      parts.findIndex(({ worth }) => worth === least),
      1,
    )
  }
  if (width(parts) > room) return cutToWidth(parts[0]!.text, room, look)
  return parts.map(({ text, paint }) => paint?.(text) ?? text).join(GAP)
}

function bar(done: number, total: number, { barDone, barRest }: Charset): string {
  const filled = total === 0 ? BAR_COLUMNS : Math.min(BAR_COLUMNS, Math.floor((done * BAR_COLUMNS) / total))
  return barDone.repeat(filled) + barRest.repeat(BAR_COLUMNS - filled)
}

function workerLines({ workers }: ProgressState, { columns, rows }: Size, look: RenderContext): string[] {
  if (rows < LEAST_ROWS || workers.length === 0) return []
  const most = Math.floor(rows / 2) - 1
  const shown = workers.length <= most ? workers : longest(workers, most - 1)
  const lines = describe(shown).map((line) => look.painter.dim(cutToWidth(`${GAP}${line}`, columns, look)))
  const hidden = workers.length - shown.length
  if (hidden > 0) lines.push(look.painter.dim(cutToWidth(`${GAP}and ${hidden} more workers`, columns, look)))
  return lines
}

/** Those that have been at one item for longest: there one would look first. In their usual order. */
function longest(workers: readonly WorkerActivity[], count: number): WorkerActivity[] {
  return [...workers]
    .sort((a, b) => (b.item?.forMs ?? -1) - (a.item?.forMs ?? -1))
    .slice(0, count)
    .sort((a, b) => a.workerId - b.workerId)
}

// ── a line a worker ────────────────────────────────────────────────────────────────────────────────────────────────

/** `worker 0  item 1234  2.1 s`, in columns. */
function describe(workers: readonly WorkerActivity[], withPid = false): string[] {
  const rows = workers.map(({ workerId, pid, state, item, others }) => {
    const title = withPid ? workerTitle(workerId, pid) : `worker ${workerId}`
    if (item === undefined) return { title, what: state, time: '', text: '' }
    const what = `item ${itemIndexAt(item.chunk, item.offset)}${others > 0 ? ` and ${others} more` : ''}`
    const text = item.forMs >= NAMED_AFTER_MS ? textOf(item) : ''
    return { title, what, time: itemTime(item.forMs), text }
  })
  const widest = (key: 'title' | 'what' | 'time') => Math.max(...rows.map((row) => row[key].length))
  const [title, what, time] = [widest('title'), widest('what'), widest('time')]
  return rows.map((row) =>
    [row.title.padEnd(title), row.what.padEnd(what), row.time.padStart(time), row.text].join(GAP).trimEnd(),
  )
}

function textOf({ chunk, offset }: NonNullable<WorkerActivity['item']>): string {
  const { payload } = chunk
  const text = payload.kind === 'bytes' ? itemText(payload, offset) : String(payload.values[offset])
  return previewText(text ?? '', ITEM_CHARACTERS)
}

// ── a log's line, and the answer to SIGUSR2 ────────────────────────────────────────────────────────────────────────

/** `poolrun map: 1234 of 10000 done (12%), 3 failed, 120/s, about 1:13 left`; no newline. */
export function plainLine({ command, counts, elapsedMs, rate }: ProgressState): string {
  const { total, failed } = counts
  const done = counts.ok + failed
  const parts = [
    total === undefined ? `${done} done` : `${done} of ${total} done (${percent(done, total)})`,
    `${failed} failed`,
    `${clockTime(elapsedMs)} elapsed`,
  ]
  if (rate !== undefined) parts.push(rateText(rate))
  const left = total === undefined ? undefined : timeLeft(total - done, rate)
  if (left !== undefined) parts.push(`about ${clockTime(left)} left`)
  return `poolrun ${command}: ${parts.join(', ')}`
}

/** What is running now, whole lines. */
export function statusText(state: ProgressState): string {
  const { counts, workers } = state
  const running = workers.reduce((sum, { item, others }) => sum + (item === undefined ? 0 : 1 + others), 0)
  // Those taken from the input that have not begun.
  const waiting = Math.max(0, counts.notRun - running)
  const lines = describe(workers, true).map((line) => `${GAP}${line}\n`)
  return `${plainLine(state)}, ${running} running, ${waiting} waiting\n${lines.join('')}`
}

/** Whole characters, as people see them. */
export function cutToWidth(text: string, room: number, { width, letters }: RenderContext): string {
  if (width(text) <= room) return text
  const most = room - letters.ellipsis.length
  let cut = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += width(segment)
    if (used > most) break
    cut += segment
  }
  return cut + letters.ellipsis
}
