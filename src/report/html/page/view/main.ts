// The script of the HTML report: reads the data embedded in the page and puts the page together. build.js bundles it
// into dist/page.js; the page's policy allows this one script, by its hash.
import type { PageData } from '../../page-data.js'
import { el, present } from './dom.js'
import { durationSection } from './durations.js'
import { failureSection } from './failures.js'
import { header } from './header.js'
import { itemSection, slowestSection, workerSection } from './tables.js'
import { toggleTheme, usePreferredTheme } from './theme.js'
import { Timeline } from './timeline.js'

const data: PageData = JSON.parse(document.getElementById('data')!.textContent)
const timeline = new Timeline(data)
const durations = durationSection(data)
const select = (index: number) => timeline.select(index)

/** A canvas keeps its size and its colours until it is drawn again. */
function redraw(): void {
  timeline.redraw()
  durations?.draw()
}

usePreferredTheme()
document.title = `${data.exitCode === 0 ? '✓' : '✗'} poolrun ${data.command} ${data.job}`
document.getElementById('report')!.append(
  ...header(data, () => {
    toggleTheme()
    redraw()
  }),
  ...present([failureSection(data, select), ...timeline.elements, durations?.element]),
  el('div', { class: 'columns' }, slowestSection(data, select), workerSection(data)),
  ...present([itemSection(data, select)]),
)
addEventListener('resize', redraw)
redraw()
