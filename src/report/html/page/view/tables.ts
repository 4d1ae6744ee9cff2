// The tables: attempts (slowest, all) and workers.
import { ATTEMPT_STATUSES } from '../../../files/run-record.js'
import type { AttemptColumns, PageData } from '../../page-data.js'
import { type AttemptId, findAttempts, getAttempt, slowestAttempts } from '../data/attempts.js'
import { formatDuration, formatNumber } from '../data/format.js'
import { workerStats } from '../data/worker-stats.js'
import { button, el, section, swatch } from './dom.js'

type Select = (index: number) => void

interface Column {
  readonly title: string
  readonly numeric?: boolean
}

const ATTEMPT_COLUMNS: readonly Column[] = [
  { title: 'item', numeric: true },
  { title: 'text' },
  { title: 'outcome' },
  { title: 'took', numeric: true },
  { title: 'worker', numeric: true },
  { title: 'started at', numeric: true },
]
const WORKER_COLUMNS: readonly Column[] = [
  { title: 'worker', numeric: true },
  { title: 'pids' },
  { title: 'attempts', numeric: true },
  { title: 'in tasks' },
  { title: 'lost' },
]
const SLOWEST = 10
const MAX_WORKERS = 200
const FIRST_ITEMS = 20

export function slowestSection({ attempts }: PageData, select: Select): HTMLElement | undefined {
  if (attempts.ms.length === 0) return undefined
  return section('Slowest items', attemptTable(attempts, slowestAttempts(attempts, SLOWEST), select))
}

export function workerSection({ workers, attempts, tookMs }: PageData): HTMLElement {
  const rows = workerStats(workers, attempts, tookMs)
    .slice(0, MAX_WORKERS)
    .map((stats) => {
      const bar = el('span', { class: 'share' })
      bar.style.width = `${stats.busyPercent * 0.6}px`
      return row(
        WORKER_COLUMNS,
        {},
        [String(stats.workerId)],
        [stats.pids.join(', ')],
        [formatNumber(stats.attempts)],
        [bar, ` ${stats.busyPercent} %`],
        [stats.crashes.join(', ')],
      )
    })
  return section('Workers', table(WORKER_COLUMNS, rows))
}

/** All attempts, with a search by item and by outcome. */
export function itemSection({ attempts }: PageData, select: Select): HTMLElement | undefined {
  if (attempts.index.length === 0) return undefined
  const body = el('div')
  const outcome = el(
    'select',
    { 'aria-label': 'Outcome', id: 'status', onchange: () => fill(FIRST_ITEMS) },
    el('option', { value: '' }, 'all outcomes'),
    ...ATTEMPT_STATUSES.map((status, value) => el('option', { value }, status)),
  )
  const search = el('input', {
    type: 'search',
    id: 'find',
    placeholder: 'Item index',
    'aria-label': 'Item index',
    oninput: () => fill(FIRST_ITEMS),
  })
  const fill = (limit: number): void => {
    const status = outcome.value === '' ? undefined : ATTEMPT_STATUSES[Number(outcome.value)]
    const { ids, total } = findAttempts(attempts, { status, index: search.value }, limit)
    body.replaceChildren(
      total === 0 ? el('p', { class: 'empty' }, 'No item matches.') : attemptTable(attempts, ids, select),
      total > limit ? button(`Show more of ${formatNumber(total)}`, () => fill(limit * 4)) : '',
    )
  }
  fill(FIRST_ITEMS)
  return section('All items', el('div', { class: 'tools' }, search, outcome), body)
}

function attemptTable(attempts: AttemptColumns, ids: readonly AttemptId[], select: Select): HTMLElement {
  return table(
    ATTEMPT_COLUMNS,
    ids.map((id) => attemptRow(attempts, id, select)),
  )
}

function attemptRow(attempts: AttemptColumns, id: AttemptId, select: Select): HTMLElement {
  const { index, item, attempt, worker, start, ms, status } = getAttempt(attempts, id)
  const pick = () => select(index)
  const onkeydown = (event: KeyboardEvent) => event.key === 'Enter' && pick()
  return row(
    ATTEMPT_COLUMNS,
    { class: 'pick', tabindex: '0', onclick: pick, onkeydown },
    [String(index)],
    [item],
    [swatch(status), attempt > 1 ? `${status} (attempt ${attempt})` : status],
    [formatDuration(ms)],
    [String(worker)],
    [formatDuration(start)],
  )
}

function table(columns: readonly Column[], rows: readonly HTMLElement[]): HTMLElement {
  const titles = columns.map((column) => el('th', { class: cellClass(column), scope: 'col' }, column.title))
  return el(
    'div',
    { class: 'scroll' },
    el('table', {}, el('thead', {}, el('tr', {}, ...titles)), el('tbody', {}, ...rows)),
  )
}

function row(
  columns: readonly Column[],
  attributes: Parameters<typeof el>[1],
  ...cells: readonly (readonly (Node | string)[])[]
): HTMLElement {
  return el(
    'tr',
    attributes,
    ...cells.map((children, i) => el('td', { class: cellClass(columns[i]!) }, ...children)),
  )
}

function cellClass({ numeric }: Column): string | undefined {
  return numeric ? 'number' : undefined
}
