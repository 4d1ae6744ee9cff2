// The top of the page: what was run, how it ended, and the figures.
import type { PageCounts, PageData } from '../../page-data.js'
import { formatDuration, formatNumber } from '../data/format.js'
import { overviewOf } from '../data/overview.js'
import { button, el } from './dom.js'

const MAX_WARNINGS = 20

export function header(data: PageData, toggleTheme: () => void): HTMLElement[] {
  const theme = button('Light / dark', toggleTheme, { id: 'theme' })
  const startedAt = new Date(data.startedAt).toISOString().replace('T', ' ').slice(0, 19)
  const ending = data.signal ? `ended by ${data.signal}` : `exit code ${data.exitCode}`
  return [
    el('div', { class: 'bar' }, el('h1', {}, `poolrun ${data.command} `, el('code', {}, data.job)), theme),
    el(
      'div',
      { class: `outcome${data.exitCode === 0 ? '' : ' bad'}`, role: 'status' },
      el('strong', {}, data.summaryLine),
      el(
        'p',
        {},
        `${startedAt} UTC · took ${formatDuration(data.tookMs)} · ${ending} · poolrun ${data.poolrun}, Node ${data.node}`,
      ),
      ...data.warnings.slice(0, MAX_WARNINGS).map((warning) => el('p', {}, `warning: ${warning}`)),
    ),
    ...(data.counts === undefined ? [] : [tiles(data, data.counts)]),
  ]
}

function tiles(data: PageData, counts: PageCounts): HTMLElement {
  const { crashedWorkers, itemsPerSecond, busyPercent } = overviewOf(data)
  return el(
    'div',
    { class: 'tiles' },
    tile('failed', formatNumber(counts.failed), 'failed'),
    tile('succeeded', formatNumber(counts.ok), 'ok'),
    tile('of these flaky', formatNumber(counts.flaky), 'flaky'),
    tile('cancelled while running', formatNumber(counts.cancelled), 'cancelled'),
    tile('not run', formatNumber(counts.notRun), 'failed'),
    tile('workers lost', formatNumber(crashedWorkers), 'failed'),
    tile('items per second', formatNumber(itemsPerSecond), ''),
    tile('of time in tasks', `${busyPercent} %`, ''),
  )
}

/** `color` is used unless the value is zero. */
function tile(label: string, value: string, color: string): HTMLElement {
  return el('div', { class: `tile ${value === '0' ? '' : color}` }, el('b', {}, value), el('span', {}, label))
}
