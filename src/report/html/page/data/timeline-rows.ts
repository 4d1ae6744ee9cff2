// Which row of the timeline each attempt is drawn in: one row per worker, more where its attempts overlap.
import { type LaneLimits, type Lanes, takeLane } from '../../../lanes.js'
import type { AttemptColumns, PageWorker } from '../../page-data.js'

const LIMITS: LaneLimits = { tolerance: 0.02, maxLanes: 16 }

export interface TimelineRows {
  /** One label per row; empty for the further rows of a worker. */
  readonly labels: readonly string[]
  /** The first row of each worker. */
  readonly firstRow: ReadonlyMap<number, number>
  /** The row of each attempt. */
  readonly rowOf: Int32Array
}

export function layOutRows(workers: readonly PageWorker[], attempts: AttemptColumns): TimelineRows {
  const lanesOf = new Map<number, Lanes>(workers.map(({ workerId }) => [workerId, [0]]))
  const laneOf = Int32Array.from(attempts.worker, (workerId, id) => {
    const start = attempts.start[id]!
    const lanes = lanesOf.get(workerId) ?? []
    lanesOf.set(workerId, lanes)
    return takeLane(lanes, start, start + attempts.ms[id]!, LIMITS)
  })
  const labels: string[] = []
  const firstRow = new Map<number, number>()
  for (const [workerId, lanes] of [...lanesOf].sort(([a], [b]) => a - b)) {
    firstRow.set(workerId, labels.length)
    labels.push(...lanes.map((_, lane) => (lane === 0 ? `worker ${workerId}` : '')))
  }
  const rowOf = laneOf.map((lane, id) => firstRow.get(attempts.worker[id]!)! + lane)
  return { labels, firstRow, rowOf }
}
