// The part of the run that the timeline shows, and how its times map to pixels.

/** Milliseconds since the run began. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

/** A range drawn from pixel `left` on, over `width` pixels. */
export interface TimeScale {
  readonly range: TimeRange
  readonly left: number
  readonly width: number
}

/** The nearest range within 0 … `end`; zooming in stops at a millionth of the run, or 0.05 ms. */
export function clampRange({ from, to }: TimeRange, end: number): TimeRange {
  const span = Math.min(end, Math.max(to - from, end / 1e6, 0.05))
  const start = Math.max(0, Math.min(from, end - span))
  return { from: start, to: start + span }
}

/** `around` keeps its place on the screen; a factor below 1 zooms in. */
export function zoomRange({ from, to }: TimeRange, factor: number, around = (from + to) / 2): TimeRange {
  return { from: around - (around - from) * factor, to: around + (to - around) * factor }
}

export function moveRange({ from, to }: TimeRange, byMs: number): TimeRange {
  return { from: from + byMs, to: to + byMs }
}

/** A range with an attempt in its middle: eight times as long as the attempt, or a twentieth of what is shown now. */
export function rangeAround(shown: TimeRange, start: number, ms: number): TimeRange {
  const span = Math.max(ms * 8, (shown.to - shown.from) / 20)
  const middle = start + ms / 2
  return { from: middle - span / 2, to: middle + span / 2 }
}

export function toX({ range, left, width }: TimeScale, ms: number): number {
  return left + ((ms - range.from) / (range.to - range.from)) * width
}

export function toMs({ range, left, width }: TimeScale, x: number): number {
  return range.from + ((x - left) / width) * (range.to - range.from)
}
