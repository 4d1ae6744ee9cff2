// What pointer, wheel and keys do on the timeline.
import type { AttemptId } from '../data/attempts.js'
import { moveRange, type TimeRange, type TimeScale, toMs } from '../data/time-range.js'

export const ZOOM_IN = 0.6
export const ZOOM_OUT = 1 / ZOOM_IN

/** If the pointer moves no further than this between down and up, it is a click. */
const DRAG_FROM_PX = 3
/** Wheel units that zoom by a factor of e. */
const WHEEL_PER_ZOOM = 400
/** How much of the shown range one press of an arrow key moves. */
const KEY_STEP = 1 / 5

export interface GestureTarget {
  readonly range: TimeRange
  scale(): TimeScale
  show(range: TimeRange): void
  showAll(): void
  zoom(factor: number, aroundMs?: number): void
  attemptAt(event: MouseEvent): AttemptId | undefined
  showTip(id: AttemptId | undefined, event: MouseEvent): void
  hideTip(): void
  selectInSight(id: AttemptId): void
}

export function handleGestures(canvas: HTMLCanvasElement, target: GestureTarget): void {
  handlePointer(canvas, target)
  handleZoom(canvas, target)
  handleKeys(canvas, target)
}

function handlePointer(canvas: HTMLCanvasElement, target: GestureTarget): void {
  let drag: { readonly x: number; readonly range: TimeRange; moved: boolean } | undefined
  canvas.addEventListener('pointerdown', (event) => {
    drag = { x: event.clientX, range: target.range, moved: false }
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener('pointermove', (event) => {
    if (drag === undefined || event.buttons === 0) return target.showTip(target.attemptAt(event), event)
    const { x, range } = drag
    if (Math.abs(x - event.clientX) > DRAG_FROM_PX) drag.moved = true
    const byMs = ((x - event.clientX) / target.scale().width) * (range.to - range.from)
    if (drag.moved) target.show(moveRange(range, byMs))
  })
  canvas.addEventListener('pointerup', (event) => {
    const id = drag?.moved ? undefined : target.attemptAt(event)
    drag = undefined
    if (id !== undefined) target.selectInSight(id)
  })
  canvas.addEventListener('pointerleave', () => target.hideTip())
}

function handleZoom(canvas: HTMLCanvasElement, target: GestureTarget): void {
  const zoom = (event: WheelEvent) => {
    // Sideways it scrolls the page.
    if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) return
    event.preventDefault()
    const x = event.clientX - canvas.getBoundingClientRect().left
    target.zoom(Math.exp(event.deltaY / WHEEL_PER_ZOOM), toMs(target.scale(), x))
  }
  canvas.addEventListener('wheel', zoom, { passive: false })
  canvas.addEventListener('dblclick', () => target.showAll())
}

function handleKeys(canvas: HTMLCanvasElement, target: GestureTarget): void {
  canvas.addEventListener('keydown', (event) => {
    const { from, to } = target.range
    const stepMs = (to - from) * KEY_STEP
    if (event.key === 'ArrowLeft') target.show(moveRange(target.range, -stepMs))
    else if (event.key === 'ArrowRight') target.show(moveRange(target.range, stepMs))
    else if (event.key === '+' || event.key === '=') target.zoom(ZOOM_IN)
    else if (event.key === '-') target.zoom(ZOOM_OUT)
    else if (event.key === '0') target.showAll()
    else return
    event.preventDefault()
  })
}
