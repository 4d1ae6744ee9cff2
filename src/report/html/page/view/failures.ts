// The failures: groups to open, with the traceback of one item at a time, and the search.

import { type FailureGroup, groupFailures, type MessageGroup, titleOf } from '../../../failure-groups.js'
import type { FailureRecord } from '../../../files/run-record.js'
import type { PageData } from '../../page-data.js'
import { filterGroups } from '../data/failure-groups.js'
import { cut, formatNumber } from '../data/format.js'
import { button, el, section } from './dom.js'

const FIRST_GROUPS = 6
const MAX_MESSAGES = 50
const MAX_CHIPS = 60
const CHIP_CHARACTERS = 24

export function failureSection(
  { failures, failuresLeftOut }: PageData,
  select: (index: number) => void,
): HTMLElement | undefined {
  if (failures.length === 0) return undefined
  const groups = groupFailures(failures)
  const list = el('div', { id: 'groups' })
  const filter = el('input', {
    type: 'search',
    id: 'filter',
    placeholder: 'Filter by text or index',
    'aria-label': 'Filter failures by text or index',
    oninput: () => fill(FIRST_GROUPS),
  })
  const fill = (limit: number): void => {
    const found = filterGroups(groups, filter.value)
    list.replaceChildren(...found.slice(0, limit).map((group, i) => failureGroup(group, i === 0, select)))
    if (found.length === 0) list.append(el('p', { class: 'empty' }, 'No failure matches.'))
    if (found.length > limit)
      list.append(button(`Show more of ${formatNumber(found.length)} groups`, () => fill(limit * 10)))
  }
  fill(FIRST_GROUPS)
  const more = failuresLeftOut > 0 ? ` (${formatNumber(failuresLeftOut)} more are not listed)` : ''
  return section(`Failures${more}`, el('div', { class: 'tools' }, filter), list)
}

function failureGroup(group: FailureGroup, open: boolean, select: (index: number) => void): HTMLElement {
  const { failures, messages } = group
  const first = failures[0]!
  const text = el('pre', {}, first.text)
  const show = (failure: FailureRecord) => {
    text.textContent = failure.text
    select(failure.index)
  }
  const copy = button('Copy', () => void navigator.clipboard?.writeText(text.textContent))
  const { location } = first
  return el(
    'details',
    { open },
    el(
      'summary',
      {},
      el('span', { class: 'count' }, formatNumber(failures.length)),
      titleOf(group),
      location && el('span', { class: 'location mono' }, `${location.file}:${location.line}`),
    ),
    ...messages.slice(0, MAX_MESSAGES).map((message) => messageRow(message, messages.length > 1, show)),
    messages.length > MAX_MESSAGES
      ? el('div', { class: 'chips' }, `and ${formatNumber(messages.length - MAX_MESSAGES)} more messages`)
      : '',
    copy,
    text,
  )
}

/** The items that failed with one message, which stands before them if there are others. */
function messageRow(
  { title, failures }: MessageGroup,
  hasTitle: boolean,
  show: (failure: FailureRecord) => void,
): HTMLElement {
  const chips = failures
    .slice(0, MAX_CHIPS)
    .map((failure) =>
      button(
        failure.item === ''
          ? String(failure.index)
          : `${failure.index}: ${cut(failure.item, CHIP_CHARACTERS)}`,
        () => show(failure),
      ),
    )
  return el(
    'div',
    { class: 'chips', 'aria-label': 'Items with this failure' },
    hasTitle ? `${title}: ` : '',
    'items ',
    ...chips,
    failures.length > chips.length ? ` and ${formatNumber(failures.length - chips.length)} more` : '',
  )
}
