// How progress writes times, speeds and shares: short, and steady enough to be looked at while it changes.
import { formatMs } from '../errors/messages.js'
import type { Ms } from '../model.js'

/** `0:09`, `1:13`, `2:05:10`, and in days when it is that long: `3d 04:10`. */
export function clockTime(ms: Ms): string {
  const seconds = Math.round(ms / 1000)
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  if (d > 0) return `${d}d ${two(h)}:${two(m)}`
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Of one item: `0.4 s`, from a minute on as clock time. */
export function itemTime(ms: Ms): string {
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)} s` : clockTime(ms)
}

/** Of one item in a log, where it does not change any more: `0.4 ms`, `12 ms`, `2.1 s`. */
export function taskTime(ms: Ms): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatMs(ms)
}

/** `1200/s`, `3.4/s`, `12/min`, `2.5/h`: the unit in which there is something before the point. */
export function speed(perSecond: number): string {
  for (const [unit, factor] of [
    ['s', 1],
    ['min', 60],
  ] as const)
    if (perSecond * factor >= 1) return `${significant(perSecond * factor)}/${unit}`
  return `${significant(perSecond * 3600)}/h`
}

/** Never 100% while something is missing, nor more than that. */
export function percent(done: number, total: number): string {
  return `${total === 0 ? 100 : Math.min(100, Math.floor((done * 100) / total))}%`
}

function significant(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value))
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
