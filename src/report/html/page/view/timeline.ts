// The timeline: its state (what part of the run is shown, which item is selected) and everything around the canvas.
import { ATTEMPT_STATUSES } from '../../../files/run-record.js'
import type { PageData } from '../../page-data.js'
import { type AttemptId, attemptsOfItem, describeAttempt, getAttempt } from '../data/attempts.js'
import { formatNumber } from '../data/format.js'
import {
  clampRange,
  rangeAround,
  type TimeRange,
  type TimeScale,
  toMs,
  zoomRange,
} from '../data/time-range.js'
import { attemptAtPoint } from '../data/timeline-bars.js'
import { layOutRows, type TimelineRows } from '../data/timeline-rows.js'
import { button, el, section, swatch } from './dom.js'
import { drawTimeline, rowAt, timelineHeight, timelineScale } from './timeline-drawing.js'
import { handleGestures, ZOOM_IN, ZOOM_OUT } from './timeline-gestures.js'

export class Timeline {
  readonly elements: readonly HTMLElement[]
  readonly #data: PageData
  readonly #rows: TimelineRows
  readonly #canvas: HTMLCanvasElement
  readonly #tip = el('div', { class: 'tip', hidden: true })
  readonly #detail = el('div', { id: 'detail', 'aria-live': 'polite' })
  /** A run without any duration is shown as a millisecond. */
  readonly #end: number
  #range: TimeRange
  #selectedIndex: number | undefined
  #drawingRequested = false

  constructor(data: PageData) {
    this.#data = data
    this.#rows = layOutRows(data.workers, data.attempts)
    this.#end = Math.max(data.tookMs, 1)
    this.#range = { from: 0, to: this.#end }
    this.#canvas = el('canvas', {
      tabindex: '0',
      role: 'img',
      'aria-label': `Timeline of ${formatNumber(data.attempts.index.length)} attempts on ${this.#rows.firstRow.size} workers. Arrow keys move it, plus and minus zoom; the table below has the same items.`,
    })
    this.#canvas.style.height = `${timelineHeight(this.#rows)}px`
    this.elements = [
      section('Timeline', this.#tools(), el('p', {}), this.#canvas, legend(), this.#detail),
      this.#tip,
    ]
    handleGestures(this.#canvas, this)
  }

  get range(): TimeRange {
    return this.#range
  }

  scale(): TimeScale {
    return timelineScale(this.#canvas, this.#range)
  }

  show(range: TimeRange): void {
    this.#range = clampRange(range, this.#end)
    this.redraw()
  }

  showAll(): void {
    this.show({ from: 0, to: this.#end })
  }

  zoom(factor: number, aroundMs?: number): void {
    this.show(zoomRange(this.#range, factor, aroundMs))
  }

  /** The attempt under the pointer. */
  attemptAt(event: MouseEvent): AttemptId | undefined {
    const box = this.#canvas.getBoundingClientRect()
    const scale = this.scale()
    return attemptAtPoint(this.#data.attempts, this.#rows, {
      row: rowAt(event.clientY - box.top),
      ms: toMs(scale, event.clientX - box.left),
      slackMs: (this.#range.to - this.#range.from) / scale.width,
    })
  }

  showTip(id: AttemptId | undefined, event: MouseEvent): void {
    this.#tip.hidden = id === undefined
    if (id === undefined) return
    this.#tip.textContent = describeAttempt(this.#data.attempts, id)
    this.#tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 240)}px`
    this.#tip.style.top = `${event.clientY + 16}px`
  }

  hideTip(): void {
    this.#tip.hidden = true
  }

  /** Marks an item, shows its details, and moves its last attempt into sight. */
  select(index: number): void {
    const last = this.#mark(index).at(-1)
    if (last === undefined) return
    const { start, ms } = getAttempt(this.#data.attempts, last)
    const { from, to } = this.#range
    if (start < from || start > to) this.show(rangeAround(this.#range, start, ms))
  }

  /** Marks the item of an attempt that the reader has clicked on: it is in sight already. */
  selectInSight(id: AttemptId): void {
    this.#mark(this.#data.attempts.index[id]!)
  }

  /** Draws with the next frame, once for all changes until then. */
  redraw(): void {
    if (this.#drawingRequested) return
    this.#drawingRequested = true
    requestAnimationFrame(() => {
      this.#drawingRequested = false
      drawTimeline(this.#canvas, {
        data: this.#data,
        rows: this.#rows,
        range: this.#range,
        end: this.#end,
        selectedIndex: this.#selectedIndex,
      })
    })
  }

  /** Returns the attempts of the item. */
  #mark(index: number): readonly AttemptId[] {
    const { attempts, failures } = this.#data
    const ids = attemptsOfItem(attempts, index)
    const text = ids.length === 0 ? '' : getAttempt(attempts, ids[0]!).item
    const failure = failures.find((candidate) => candidate.index === index)
    this.#detail.replaceChildren(
      el('h2', {}, `Item ${index}${text === '' ? '' : `: ${text}`}`),
      ...ids.map((id) => el('p', {}, swatch(getAttempt(attempts, id).status), describeAttempt(attempts, id))),
      failure ? el('pre', {}, failure.text) : '',
    )
    this.#selectedIndex = index
    this.redraw()
    return ids
  }

  #tools(): HTMLElement {
    const { attemptsLeftOut } = this.#data
    const leftOut = attemptsLeftOut > 0 ? ` ${formatNumber(attemptsLeftOut)} attempts are not listed.` : ''
    return el(
      'div',
      { class: 'tools' },
      tool('+', 'Zoom in', () => this.zoom(ZOOM_IN)),
      tool('−', 'Zoom out', () => this.zoom(ZOOM_OUT)),
      tool('All', 'Show the whole run', () => this.showAll()),
      `Scroll to zoom, drag to move, click an item for details.${leftOut}`,
    )
  }
}

function tool(label: string, title: string, act: () => void): HTMLElement {
  return button(label, act, { title, 'aria-label': title })
}

function legend(): HTMLElement {
  return el(
    'div',
    { class: 'legend' },
    ...ATTEMPT_STATUSES.map((status) => el('span', {}, swatch(status), status)),
    el('span', {}, swatch('boot'), 'starting'),
    el('span', {}, '✕ worker lost'),
  )
}
