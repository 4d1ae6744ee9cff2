// How long the attempts took: a histogram and its quantiles in words.
import type { PageData } from '../../page-data.js'
import { durationAt, type Histogram, histogram, logScale, quantile } from '../data/durations.js'
import { formatDuration } from '../data/format.js'
import { cssColor, el, section, startDrawing } from './dom.js'

// In pixels.
const HEIGHT = 150
const AXIS_HEIGHT = 18
const BIN_WIDTH = 12

const QUANTILES = [
  ['shortest', 0],
  ['median', 0.5],
  ['95 %', 0.95],
  ['99 %', 0.99],
  ['longest', 1],
] as const

export interface DurationSection {
  readonly element: HTMLElement
  draw(): void
}

export function durationSection({ attempts }: PageData): DurationSection | undefined {
  if (attempts.ms.length === 0) return undefined
  const sorted = Float64Array.from(attempts.ms).sort()
  const textAt = (part: number) => formatDuration(quantile(sorted, part))
  const scale = logScale(quantile(sorted, 0), quantile(sorted, 1))
  const canvas = el('canvas', {
    role: 'img',
    'aria-label': `Distribution of durations: median ${textAt(0.5)}, longest ${textAt(1)}`,
  })
  canvas.style.height = `${HEIGHT}px`
  const quantiles = QUANTILES.map(([name, part]) => `${name} ${textAt(part)}`).join(' · ')
  return {
    element: section(
      'Durations',
      canvas,
      el('p', { class: 'empty' }, `${quantiles} (the scale is logarithmic)`),
    ),
    draw() {
      const width = canvas.clientWidth
      const pen = startDrawing(canvas, HEIGHT)
      const bins = Math.max(10, Math.min(60, Math.floor(width / BIN_WIDTH)))
      drawBins(pen, histogram(attempts, scale, bins), width)
      pen.fillStyle = cssColor('soft')
      pen.font = '12px system-ui, sans-serif'
      for (const part of [0, 0.25, 0.5, 0.75])
        pen.fillText(formatDuration(durationAt(scale, part)), part * width, HEIGHT - 4)
      pen.textAlign = 'right'
      pen.fillText(formatDuration(scale.high), width, HEIGHT - 4)
    },
  }
}

/** Failures on top of successes; a bin that is not empty is at least two pixels high. */
function drawBins(
  pen: CanvasRenderingContext2D,
  { succeeded, failed, most }: Histogram,
  width: number,
): void {
  const bins = succeeded.length
  const unit = (HEIGHT - 34) / most
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, count * unit))
  const [okColor, failedColor] = [cssColor('ok'), cssColor('failed')]
  for (let bin = 0; bin < bins; bin++) {
    const x = (bin * width) / bins
    const okHeight = heightOf(succeeded[bin]!)
    const failedHeight = heightOf(failed[bin]!)
    pen.fillStyle = okColor
    pen.fillRect(x, HEIGHT - AXIS_HEIGHT - okHeight, width / bins - 2, okHeight)
    pen.fillStyle = failedColor
    pen.fillRect(x, HEIGHT - AXIS_HEIGHT - okHeight - failedHeight, width / bins - 2, failedHeight)
  }
}
