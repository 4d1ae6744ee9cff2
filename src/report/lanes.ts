// Attempts that overlap in one worker, spread over lanes: within a lane none overlap.

/** A lane starts at 0 and is busy until the number that it holds. */
export type Lanes = number[]

export interface LaneLimits {
  /** Attempts that overlap by less than this share a lane: clocks are not that exact. */
  readonly tolerance: number
  /** When all lanes are busy, the last one takes the attempt. */
  readonly maxLanes: number
}

/** Takes the first lane that is free at `start`, opening one if necessary, and marks it busy until `end`. */
export function takeLane(lanes: Lanes, start: number, end: number, limits: LaneLimits): number {
  const free = lanes.findIndex((busyUntil) => busyUntil <= start + limits.tolerance)
  const lane = free === -1 ? Math.min(lanes.length, limits.maxLanes - 1) : free
  lanes[lane] = end
  return lane
}
