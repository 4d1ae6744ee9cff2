// The text of progress: the live block, which depends on the size of the terminal, the plain line for a log, and the
// answer to SIGUSR2. Pure: how wide a text is on the terminal is passed in.
import { longDuration, workerTitle } from '../../errors/messages.js'
import { previewText } from '../../errors/render/sanitise.js'
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
  /** Items per second. */
  readonly rate: number | undefined
  readonly workers: readonly WorkerActivity[]
  /** No further item begins: there is no time left to estimate. */
  readonly isEnding?: boolean | undefined
  /** The user's limit on attempts that begin: `10/s`. */
  readonly limit?: string | undefined
  /** For how long no item begins, because the job has asked for it. */
  readonly pausedForMs?: Ms | undefined
}

interface RenderContext {
  readonly charset: Charset
  readonly colors: Colors
  /** How many columns a text takes. */
  readonly width: (text: string) => number
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** A terminal with fewer rows shows no workers. */
const MIN_ROWS = 10
const BAR_COLUMNS = 20
/** The spinner and the space after it. */
const SPINNER_COLUMNS = 2
const GAP = '  '
/** The text of an item is shown from then on: before, there would be no time to read it. */
const SHOW_TEXT_AFTER_MS: Ms = 1_000
const MAX_ITEM_CHARACTERS = 200

// ── live ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The line after the spinner and, if there is room, one line per worker. All are narrower than the terminal. */
export function liveText(state: ProgressState, size: Size, context: RenderContext): string {
  const room = size.columns - 1
  return [
    liveLine(state, room - SPINNER_COLUMNS, context),
    ...workerLines(state, { ...size, columns: room }, context),
  ].join('\n')
}

interface Part {
  readonly text: string
  readonly color?: (text: string) => string
  /** The part with the lowest priority is left out first when there is not enough room. */
  readonly priority: number
}

function liveLine(state: ProgressState, room: number, context: RenderContext): string {
  const { colors, charset } = context
  const { command, counts, elapsedMs, rate } = state
  const { total, failed } = counts
  const done = counts.ok + failed
  const left = leftOf(state)
  const parts: Part[] = [{ text: command, priority: 2 }]
  if (total !== undefined) parts.push({ text: bar(done, total, charset), color: colors.good, priority: 1 })
  parts.push({ text: total === undefined ? `${done} done` : `${done}/${total}`, priority: 9 })
  if (total !== undefined) parts.push({ text: percent(done, total), priority: 4 })
  if (rate !== undefined) parts.push({ text: rateText(rate), priority: 5 })
  const pacing = pacingText(state)
  if (pacing !== undefined) parts.push({ text: pacing, priority: 7 })
  if (left === undefined) parts.push({ text: clockTime(elapsedMs), priority: 3 })
  else parts.push({ text: `ETA ${clockTime(left)}`, priority: 6 })
  if (failed > 0) parts.push({ text: `${failed} failed`, color: colors.bad, priority: 8 })
  const width = (texts: readonly Part[]) => texts.map(({ text }) => text).join(GAP).length
  while (parts.length > 1 && width(parts) > room) {
    const least = Math.min(...parts.map(({ priority }) => priority))
    parts.splice(
      parts.findIndex(({ priority }) => priority === least),
      1,
    )
  }
  if (width(parts) > room) return cutToWidth(parts[0]!.text, room, context)
  return parts.map(({ text, color }) => color?.(text) ?? text).join(GAP)
}

/** Why items begin later than workers could begin them. */
function pacingText({ limit, pausedForMs }: ProgressState): string | undefined {
  if (pausedForMs !== undefined) return `cooling down ${longDuration(1000 * Math.ceil(pausedForMs / 1000))}`
  return limit && `paced ${limit}`
}

function leftOf({ counts, rate, isEnding = false, pausedForMs = 0 }: ProgressState): Ms | undefined {
  const { ok, failed, total } = counts
  const left = total === undefined || isEnding ? undefined : timeLeft(total - ok - failed, rate)
  return left && Math.max(left, pausedForMs)
}

function bar(done: number, total: number, { barDone, barRest }: Charset): string {
  const filled = total === 0 ? BAR_COLUMNS : Math.min(BAR_COLUMNS, Math.floor((done * BAR_COLUMNS) / total))
  return barDone.repeat(filled) + barRest.repeat(BAR_COLUMNS - filled)
}

function workerLines({ workers }: ProgressState, { columns, rows }: Size, context: RenderContext): string[] {
  if (rows < MIN_ROWS || workers.length === 0) return []
  const most = Math.floor(rows / 2) - 1
  const shown = workers.length <= most ? workers : longestRunning(workers, most - 1)
  const lines = describe(shown).map((line) =>
    context.colors.dim(cutToWidth(`${GAP}${line}`, columns, context)),
  )
  const hidden = workers.length - shown.length
  if (hidden > 0)
    lines.push(context.colors.dim(cutToWidth(`${GAP}and ${hidden} more workers`, columns, context)))
  return lines
}

/** The workers whose items have been running longest, in the usual order. */
function longestRunning(workers: readonly WorkerActivity[], count: number): WorkerActivity[] {
  return [...workers]
    .sort((a, b) => (b.item?.forMs ?? -1) - (a.item?.forMs ?? -1))
    .slice(0, count)
    .sort((a, b) => a.workerId - b.workerId)
}

// ── one line per worker ─────────────────────────────────────────────────────────────────────────────────────────────

/** `worker 0  item 1234  2.1 s`, in columns. */
function describe(workers: readonly WorkerActivity[], withPid = false): string[] {
  const rows = workers.map(({ workerId, pid, state, item, others }) => {
    const title = withPid ? workerTitle(workerId, pid) : `worker ${workerId}`
    if (item === undefined) return { title, what: state, time: '', text: '' }
    const what = `item ${itemIndexAt(item.chunk, item.offset)}${others > 0 ? ` and ${others} more` : ''}`
    const text = item.forMs >= SHOW_TEXT_AFTER_MS ? textOf(item) : ''
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
  return previewText(text ?? '', MAX_ITEM_CHARACTERS)
}

// ── the plain line, and the answer to SIGUSR2 ───────────────────────────────────────────────────────────────────────

/** `poolrun map: 1234 of 10000 done (12%), 3 failed, 120/s, about 1:13 left`, without a newline. */
export function plainLine(state: ProgressState): string {
  const { command, counts, elapsedMs, rate } = state
  const { total, failed } = counts
  const done = counts.ok + failed
  const parts = [
    total === undefined ? `${done} done` : `${done} of ${total} done (${percent(done, total)})`,
    `${failed} failed`,
    `${clockTime(elapsedMs)} elapsed`,
  ]
  if (rate !== undefined) parts.push(rateText(rate))
  const pacing = pacingText(state)
  if (pacing !== undefined) parts.push(pacing)
  const left = leftOf(state)
  if (left !== undefined) parts.push(`about ${clockTime(left)} left`)
  return `poolrun ${command}: ${parts.join(', ')}`
}

/** What is running now, as whole lines. */
export function statusText(state: ProgressState): string {
  const { counts, workers } = state
  const running = workers.reduce((sum, { item, others }) => sum + (item === undefined ? 0 : 1 + others), 0)
  // Taken from the input, but not started yet.
  const waiting = Math.max(0, counts.notRun - running)
  const lines = describe(workers, true).map((line) => `${GAP}${line}\n`)
  return `${plainLine(state)}, ${running} running, ${waiting} waiting\n${lines.join('')}`
}

/** Cuts between grapheme clusters, never inside one. */
function cutToWidth(text: string, room: number, { width, charset }: RenderContext): string {
  if (width(text) <= room) return text
  const most = room - charset.ellipsis.length
  let cut = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += width(segment)
    if (used > most) break
    cut += segment
  }
  return cut + charset.ellipsis
}
