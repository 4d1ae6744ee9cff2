// How progress and the summary line write times, rates and percentages: short, and steady enough to read while they
// change.
import { formatMs } from '../errors/messages.js'
import type { Ms } from '../model.js'

/** `0:09`, `1:13`, `2:05:10`, and `3d 04:10` from a day on. */
export function clockTime(ms: Ms): string {
  const seconds = Math.round(ms / 1000)
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  if (d > 0) return `${d}d ${twoDigits(h)}:${twoDigits(m)}`
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`
}

/** How long an item has been running: `0.4 s`, from a minute on as clock time. */
export function itemTime(ms: Ms): string {
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)} s` : clockTime(ms)
}

/** How long an item took, for a log: `0.4 ms`, `12 ms`, `2.1 s`. */
export function taskTime(ms: Ms): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatMs(ms)
}

/** `1200/s`, `3.4/s`, `12/min`, `2.5/h`: in the first unit that gives at least 1. */
export function rateText(perSecond: number): string {
  for (const [unit, factor] of [
    ['s', 1],
    ['min', 60],
  ] as const)
    if (perSecond * factor >= 1) return `${significant(perSecond * factor)}/${unit}`
  return `${significant(perSecond * 3600)}/h`
}

/** Rounded down, so that it is 100% only when everything is done; never more than that. */
export function percent(done: number, total: number): string {
  return `${total === 0 ? 100 : Math.min(100, Math.floor((done * 100) / total))}%`
}

/** `9,998`: a comma after each three digits. */
export function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

function significant(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value))
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
