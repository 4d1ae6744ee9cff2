// Which attempts the timeline draws as bars, and which attempt is at a point.
import { ATTEMPT_STATUSES } from '../../../files/run-record.js'
import type { AttemptColumns } from '../../page-data.js'
import { type AttemptId, lastStartedBy } from './attempts.js'
import { type TimeScale, toX } from './time-range.js'
import type { TimelineRows } from './timeline-rows.js'

export interface Bar {
  readonly id: AttemptId
  readonly row: number
  /** Position in `ATTEMPT_STATUSES`. */
  readonly status: number
  readonly x: number
  readonly width: number
}

/**
 * The attempts in sight, in order. A bar that would only cover pixels of its own colour is left out: with 200,000
 * attempts on a screen that is most of them. `gap`: pixels left free after a bar.
 */
export function visibleBars(
  attempts: AttemptColumns,
  { labels, rowOf }: TimelineRows,
  scale: TimeScale,
  gap: number,
): Bar[] {
  const { from, to } = scale.range
  const bars: Bar[] = []
  /** For each status and row: the pixel up to which it is drawn. */
  const drawnTo = ATTEMPT_STATUSES.map(() => new Float64Array(labels.length).fill(-1))
  for (let id = 0; id < attempts.start.length; id++) {
    const start = attempts.start[id]!
    if (start > to) break
    const end = start + attempts.ms[id]!
    if (end < from) continue
    const row = rowOf[id]!
    const status = attempts.status[id]!
    const x = toX(scale, start)
    const right = Math.max(x + 1, toX(scale, end) - gap)
    if (right <= drawnTo[status]![row]!) continue
    drawnTo[status]![row] = right
    bars.push({ id, row, status, x, width: right - x })
  }
  return bars
}

/** The attempt in `row` at `ms`, give or take `slackMs`; `undefined` if nothing ran then. */
export function attemptAtPoint(
  attempts: AttemptColumns,
  { rowOf }: TimelineRows,
  point: { readonly row: number; readonly ms: number; readonly slackMs: number },
): AttemptId | undefined {
  const { row, ms, slackMs } = point
  for (let id = lastStartedBy(attempts, ms + slackMs); id >= 0; id--) {
    if (rowOf[id] !== row) continue
    return attempts.start[id]! + attempts.ms[id]! >= ms - slackMs ? id : undefined
  }
  return undefined
}
