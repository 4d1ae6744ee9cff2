// Where the timeline has its ticks: at round numbers, about 130 pixels apart.
import type { TimeRange } from './time-range.js'

const TICK_DISTANCE_PX = 130

export function ticks({ from, to }: TimeRange, width: number): number[] {
  const step = roundStep((to - from) / Math.max(2, width / TICK_DISTANCE_PX))
  const list: number[] = []
  for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) list.push(ms)
  return list
}

/** The next larger of 1, 2, 5 and 10 times a power of ten. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
}
