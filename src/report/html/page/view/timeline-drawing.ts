// Draws the timeline on its canvas: labels, ticks, starting workers, attempts, crashes.
import { ATTEMPT_STATUSES } from '../../../files/run-record.js'
import type { PageData } from '../../page-data.js'
import { formatDuration } from '../data/format.js'
import { ticks } from '../data/time-axis.js'
import { type TimeRange, type TimeScale, toX } from '../data/time-range.js'
import { visibleBars } from '../data/timeline-bars.js'
import type { TimelineRows } from '../data/timeline-rows.js'
import { cssColor, startDrawing } from './dom.js'

// In pixels.
const ROW_HEIGHT = 22
const AXIS_HEIGHT = 20
const LABEL_WIDTH = 72

export interface TimelineDrawing {
  readonly data: PageData
  readonly rows: TimelineRows
  readonly range: TimeRange
  /** When the whole run ended. */
  readonly end: number
  readonly selectedIndex: number | undefined
}

export function timelineHeight({ labels }: TimelineRows): number {
  return AXIS_HEIGHT + labels.length * ROW_HEIGHT + 4
}

export function timelineScale(canvas: HTMLCanvasElement, range: TimeRange): TimeScale {
  return { range, left: LABEL_WIDTH, width: canvas.clientWidth - LABEL_WIDTH }
}

/** The row at `y` pixels from the top of the canvas. */
export function rowAt(y: number): number {
  return Math.floor((y - AXIS_HEIGHT) / ROW_HEIGHT)
}

export function drawTimeline(canvas: HTMLCanvasElement, drawing: TimelineDrawing): void {
  const { rows, range } = drawing
  const width = canvas.clientWidth
  const height = timelineHeight(rows)
  const scale = timelineScale(canvas, range)
  const pen = startDrawing(canvas, height)
  pen.fillStyle = cssColor('ground')
  pen.fillRect(0, 0, width, height)
  drawLabels(pen, rows)
  drawTicks(pen, scale, width, height)
  pen.save()
  pen.beginPath()
  pen.rect(LABEL_WIDTH, 0, width - LABEL_WIDTH, height)
  pen.clip()
  drawStarts(pen, drawing, scale)
  drawAttempts(pen, drawing, scale)
  drawCrashes(pen, drawing, scale)
  pen.restore()
}

function drawLabels(pen: CanvasRenderingContext2D, { labels }: TimelineRows): void {
  pen.font = '12px system-ui, sans-serif'
  pen.fillStyle = cssColor('soft')
  for (const [row, label] of labels.entries()) pen.fillText(label, 6, top(row) + 15)
}

function drawTicks(pen: CanvasRenderingContext2D, scale: TimeScale, width: number, height: number): void {
  pen.strokeStyle = cssColor('line')
  pen.beginPath()
  for (const ms of ticks(scale.range, width)) {
    const x = Math.round(toX(scale, ms)) + 0.5
    pen.moveTo(x, AXIS_HEIGHT - 4)
    pen.lineTo(x, height)
    pen.fillText(ms === 0 ? '0' : formatDuration(ms), x + 3, 12)
  }
  pen.stroke()
}

function drawStarts(pen: CanvasRenderingContext2D, drawing: TimelineDrawing, scale: TimeScale): void {
  const { data, rows, end } = drawing
  pen.fillStyle = cssColor('boot')
  for (const worker of data.workers) {
    const x = toX(scale, worker.startedAt)
    const right = toX(scale, worker.readyAt ?? worker.endedAt ?? end)
    pen.fillRect(x, top(rows.firstRow.get(worker.workerId)!) + 8, Math.max(1, right - x), 6)
  }
}

function drawAttempts(pen: CanvasRenderingContext2D, drawing: TimelineDrawing, scale: TimeScale): void {
  const { data, rows, range, end, selectedIndex } = drawing
  const colors = ATTEMPT_STATUSES.map(cssColor)
  // Zoomed in, neighbours are kept apart.
  const gap = range.to - range.from < end / 4 ? 1 : 0
  for (const { id, row, status, x, width } of visibleBars(data.attempts, rows, scale, gap)) {
    pen.fillStyle = colors[status]!
    pen.fillRect(x, top(row) + 2, width, ROW_HEIGHT - 5)
    if (data.attempts.index[id] !== selectedIndex) continue
    pen.strokeStyle = cssColor('ink')
    pen.lineWidth = 2
    pen.strokeRect(x - 1, top(row) + 1, width + 2, ROW_HEIGHT - 3)
  }
}

function drawCrashes(pen: CanvasRenderingContext2D, drawing: TimelineDrawing, scale: TimeScale): void {
  const { data, rows } = drawing
  pen.fillStyle = cssColor('failed')
  for (const { workerId, crashed, endedAt } of data.workers) {
    if (!crashed || endedAt === null) continue
    const x = toX(scale, endedAt)
    const y = top(rows.firstRow.get(workerId)!)
    pen.fillRect(x - 1, y - 1, 2, ROW_HEIGHT)
    pen.fillText('✕', x + 2, y + 9)
  }
}

function top(row: number): number {
  return AXIS_HEIGHT + row * ROW_HEIGHT
}
