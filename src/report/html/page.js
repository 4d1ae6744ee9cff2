// Draws the report in the reader's browser from the data embedded in the page. Text from a job becomes text nodes only.
// Knows nothing of how a run works; plain DOM and canvas, no library.
;(() => {
  const data = JSON.parse(document.getElementById('data').textContent)
  const { attempts, failures, workers } = data
  const size = attempts.index.length
  const STATUSES = ['ok', 'flaky', 'retried', 'failed']
  const FAILED = STATUSES.indexOf('failed')
  const RETRIED = STATUSES.indexOf('retried')
  const failureOf = new Map(failures.map((failure) => [failure.index, failure]))
  const report = document.getElementById('report')

  // ── small helpers ──────────────────────────────────────────────────────────────────────────────────────────────

  /** An element with attributes and children; strings are text. */
  function el(name, attributes = {}, ...children) {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value)
      else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value)
    }
    element.append(...children.filter((child) => child !== undefined && child !== null))
    return element
  }

  function time(ms) {
    if (ms < 1) return `${Number(ms.toFixed(2))} ms`
    if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`
    if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`
    const minutes = Math.floor(ms / 60_000)
    return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
  }

  const number = (value) => value.toLocaleString('en-US')
  const swatch = (status) => el('span', { class: `swatch ${status}`, 'aria-hidden': 'true' })
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

  function section(title, ...children) {
    return el('section', { 'aria-label': title }, el('h2', {}, title), ...children)
  }

  // ── the head: what happened ────────────────────────────────────────────────────────────────────────────────────

  function head() {
    const bad = data.exitCode !== 0
    const { counts } = data
    const theme = el('button', { type: 'button', id: 'theme', onclick: toggleTheme }, 'Light / dark')
    const began = new Date(data.startedAt).toISOString().replace('T', ' ').slice(0, 19)
    const ended = data.signal ? `ended by ${data.signal}` : `exit code ${data.exitCode}`
    report.append(
      el('div', { class: 'bar' }, el('h1', {}, `poolrun ${data.command} `, el('code', {}, data.job)), theme),
      el(
        'div',
        { class: `verdict${bad ? ' bad' : ''}`, role: 'status' },
        el('strong', {}, data.verdict),
        el(
          'p',
          {},
          `${began} UTC · took ${time(data.tookMs)} · ${ended} · poolrun ${data.poolrun}, Node ${data.node}`,
        ),
        ...data.warnings.slice(0, 20).map((warning) => el('p', {}, `warning: ${warning}`)),
      ),
    )
    if (!counts) return
    const tile = (label, value, kind) =>
      el('div', { class: `tile ${value === '0' ? '' : kind}` }, el('b', {}, value), el('span', {}, label))
    const busy = attempts.ms.reduce((sum, ms) => sum + ms, 0)
    report.append(
      el(
        'div',
        { class: 'tiles' },
        tile('failed', number(counts.failed), 'failed'),
        tile('succeeded', number(counts.ok), 'ok'),
        tile('of these flaky', number(counts.flaky), 'flaky'),
        tile('not run', number(counts.notRun), 'failed'),
        tile('workers lost', number(workers.filter(({ crashed }) => crashed).length), 'failed'),
        tile(
          'items a second',
          number(Math.round((counts.ok + counts.failed) / (data.tookMs / 1000)) || 0),
          '',
        ),
        tile('in tasks, of all time', `${share(busy)} %`, ''),
      ),
    )
  }

  /** Of what all workers together could have worked. */
  function share(busyMs) {
    const slots = Math.max(1, new Set(workers.map(({ workerId }) => workerId)).size)
    return Math.min(100, Math.round((100 * busyMs) / Math.max(1, slots * data.tookMs)))
  }

  function toggleTheme() {
    const dark = document.documentElement.dataset.theme === 'dark'
    setTheme(dark ? 'light' : 'dark')
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme
    for (const redraw of redraws) redraw()
  }

  // ── failures, grouped ──────────────────────────────────────────────────────────────────────────────────────────

  function failureSection() {
    if (failures.length === 0) return
    const groups = new Map()
    for (const failure of failures) groups.set(failure.group, [...(groups.get(failure.group) ?? []), failure])
    const sorted = [...groups.values()].sort((a, b) => b.length - a.length)
    const list = el('div', { id: 'groups' })
    const filter = el('input', {
      type: 'search',
      id: 'filter',
      placeholder: 'Filter by text or index',
      'aria-label': 'Filter failures by text or index',
      oninput: () => fill(filter.value, FEW),
    })
    const FEW = 6
    const fill = (wanted, most) => {
      const text = wanted.trim().toLowerCase()
      const shown = sorted
        .map((group) =>
          group.filter(
            (failure) =>
              text === '' ||
              String(failure.index) === text ||
              `${failure.text}\n${failure.item}`.toLowerCase().includes(text),
          ),
        )
        .filter((group) => group.length > 0)
      list.replaceChildren(...shown.slice(0, most).map((group, place) => groupOf(group, place === 0)))
      if (shown.length === 0) list.append(el('p', { class: 'empty' }, 'No failure has that.'))
      if (shown.length > most)
        list.append(
          el(
            'button',
            { type: 'button', onclick: () => fill(wanted, most * 10) },
            `Show more of ${number(shown.length)} groups`,
          ),
        )
    }
    fill('', FEW)
    const more = data.failuresLeftOut > 0 ? ` (${number(data.failuresLeftOut)} more are not listed)` : ''
    report.append(section(`Failures${more}`, el('div', { class: 'tools' }, filter), list))
  }

  function groupOf(group, open) {
    const [first] = group
    const shown = group.slice(0, 60)
    const text = el('pre', {}, first.text)
    const chips = shown.map(({ index, text: ofItem }) =>
      el(
        'button',
        {
          type: 'button',
          onclick: () => {
            text.textContent = ofItem
            choose(index)
          },
        },
        String(index),
      ),
    )
    const copy = el(
      'button',
      { type: 'button', onclick: () => navigator.clipboard?.writeText(text.textContent) },
      'Copy',
    )
    const place = first.place
      ? el('span', { class: 'place mono' }, `${first.place.file}:${first.place.line}`)
      : ''
    return el(
      'details',
      { open },
      el(
        'summary',
        {},
        el('span', { class: 'count' }, number(group.length)),
        `${first.name}: ${first.message.split('\n')[0]}`,
        place,
      ),
      el(
        'div',
        { class: 'chips', 'aria-label': 'Items that failed so' },
        'items ',
        ...chips,
        group.length > shown.length ? ` and ${number(group.length - shown.length)} more` : '',
        copy,
      ),
      text,
    )
  }

  // ── the timeline ───────────────────────────────────────────────────────────────────────────────────────────────

  const redraws = []
  let chosen = -1
  let choose = () => {}

  function timeline() {
    const ROW = 22
    const TOP = 20
    const LEFT = 72
    const rows = layOut()
    const labels = []
    for (const { workerId, lanes } of rows.list)
      for (let lane = 0; lane < lanes; lane++) labels.push(lane === 0 ? `worker ${workerId}` : '')
    const height = TOP + labels.length * ROW + 4
    const canvas = el('canvas', {
      tabindex: '0',
      role: 'img',
      'aria-label': `Timeline of ${number(size)} attempts on ${rows.list.length} workers. Arrow keys move, plus and minus zoom; the items are also in the table below.`,
    })
    canvas.style.height = `${height}px`
    const tip = el('div', { class: 'tip', hidden: true })
    const detail = el('div', { id: 'detail', 'aria-live': 'polite' })
    const end = Math.max(data.tookMs, 1)
    let from = 0
    let to = end
    let queued = false

    const width = () => canvas.clientWidth - LEFT
    const xOf = (ms) => LEFT + ((ms - from) / (to - from)) * width()
    const msOf = (x) => from + ((x - LEFT) / width()) * (to - from)

    function draw() {
      queued = false
      const ratio = devicePixelRatio || 1
      const wide = canvas.clientWidth
      canvas.width = wide * ratio
      canvas.height = height * ratio
      const pen = canvas.getContext('2d')
      pen.scale(ratio, ratio)
      pen.fillStyle = color('ground')
      pen.fillRect(0, 0, wide, height)
      pen.font = '12px system-ui, sans-serif'
      pen.fillStyle = color('soft')
      for (const [row, label] of labels.entries()) pen.fillText(label, 6, TOP + row * ROW + 15)
      ticks(pen, wide)
      pen.save()
      pen.beginPath()
      pen.rect(LEFT, 0, wide - LEFT, height)
      pen.clip()
      const paints = STATUSES.map(color)
      const boot = color('boot')
      for (const worker of workers) {
        const y = TOP + rows.first.get(worker.workerId) * ROW
        const ready = worker.readyAt ?? worker.endedAt ?? end
        pen.fillStyle = boot
        pen.fillRect(xOf(worker.startedAt), y + 8, Math.max(1, xOf(ready) - xOf(worker.startedAt)), 6)
      }
      // What falls on a pixel that has its color already is not drawn again; a failure always is.
      const drawnTo = STATUSES.map(() => new Float64Array(labels.length).fill(-1))
      for (let at = 0; at < size; at++) {
        const start = attempts.start[at]
        if (start > to) break
        const stop = start + attempts.ms[at]
        if (stop < from) continue
        const row = rows.rowOf[at]
        const status = attempts.status[at]
        const x = xOf(start)
        const right = Math.max(x + 1, xOf(stop) - (to - from < end / 4 ? 1 : 0))
        if (right <= drawnTo[status][row]) continue
        drawnTo[status][row] = right
        pen.fillStyle = paints[status]
        pen.fillRect(x, TOP + row * ROW + 2, right - x, ROW - 5)
        if (attempts.index[at] === chosen) {
          pen.strokeStyle = color('ink')
          pen.lineWidth = 2
          pen.strokeRect(x - 1, TOP + row * ROW + 1, right - x + 2, ROW - 3)
        }
      }
      pen.fillStyle = color('failed')
      for (const worker of workers) {
        if (!worker.crashed || worker.endedAt === null) continue
        const y = TOP + rows.first.get(worker.workerId) * ROW
        pen.fillRect(xOf(worker.endedAt) - 1, y - 1, 2, ROW)
        pen.fillText('✕', xOf(worker.endedAt) + 2, y + 9)
      }
      pen.restore()
    }

    function ticks(pen, wide) {
      const about = (to - from) / Math.max(2, wide / 130)
      const power = 10 ** Math.floor(Math.log10(about))
      const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= about)
      pen.strokeStyle = color('line')
      pen.beginPath()
      for (let ms = Math.ceil(from / step) * step; ms <= to; ms += step) {
        const x = Math.round(xOf(ms)) + 0.5
        pen.moveTo(x, TOP - 4)
        pen.lineTo(x, height)
        pen.fillText(ms === 0 ? '0' : time(ms), x + 3, 12)
      }
      pen.stroke()
    }

    const redraw = () => {
      if (queued) return
      queued = true
      requestAnimationFrame(draw)
    }
    const show = (begin, stop) => {
      const span = Math.min(end, Math.max(stop - begin, end / 1e6, 0.05))
      from = Math.max(0, Math.min(begin, end - span))
      to = from + span
      redraw()
    }
    const zoom = (factor, around = (from + to) / 2) =>
      show(around - (around - from) * factor, around + (to - around) * factor)

    /** The attempt under the pointer, -1 without one. */
    function hit(event) {
      const box = canvas.getBoundingClientRect()
      const ms = msOf(event.clientX - box.left)
      const slack = (to - from) / width()
      const row = Math.floor((event.clientY - box.top - TOP) / ROW)
      for (let at = lastBefore(ms + slack); at >= 0; at--) {
        if (rows.rowOf[at] !== row) continue
        return attempts.start[at] + attempts.ms[at] >= ms - slack ? at : -1
      }
      return -1
    }

    function lastBefore(ms) {
      let low = 0
      let high = size
      while (low < high) {
        const middle = (low + high) >> 1
        if (attempts.start[middle] <= ms) low = middle + 1
        else high = middle
      }
      return low - 1
    }

    let drag
    canvas.addEventListener('pointerdown', (event) => {
      drag = { x: event.clientX, from, to, moved: false }
      canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener('pointermove', (event) => {
      if (drag !== undefined && event.buttons !== 0) {
        const by = ((drag.x - event.clientX) / width()) * (drag.to - drag.from)
        if (Math.abs(drag.x - event.clientX) > 3) drag.moved = true
        if (drag.moved) show(drag.from + by, drag.to + by)
        return
      }
      const at = hit(event)
      tip.hidden = at < 0
      if (at < 0) return
      tip.textContent = describe(at)
      tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 240)}px`
      tip.style.top = `${event.clientY + 16}px`
    })
    canvas.addEventListener('pointerup', (event) => {
      const at = drag?.moved ? -1 : hit(event)
      drag = undefined
      if (at >= 0) choose(attempts.index[at], false)
    })
    canvas.addEventListener('pointerleave', () => {
      tip.hidden = true
    })
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) return
        event.preventDefault()
        zoom(Math.exp(event.deltaY / 400), msOf(event.clientX - canvas.getBoundingClientRect().left))
      },
      { passive: false },
    )
    canvas.addEventListener('dblclick', () => show(0, end))
    canvas.addEventListener('keydown', (event) => {
      const step = (to - from) / 5
      if (event.key === 'ArrowLeft') show(from - step, to - step)
      else if (event.key === 'ArrowRight') show(from + step, to + step)
      else if (event.key === '+' || event.key === '=') zoom(0.6)
      else if (event.key === '-') zoom(1 / 0.6)
      else if (event.key === '0') show(0, end)
      else return
      event.preventDefault()
    })
    addEventListener('resize', redraw)
    redraws.push(redraw)

    choose = (index, reveal = true) => {
      chosen = index
      const own = []
      for (let at = 0; at < size; at++) if (attempts.index[at] === index) own.push(at)
      const failure = failureOf.get(index)
      detail.replaceChildren(
        el('h2', {}, `Item ${index}`),
        ...own.map((at) => el('p', {}, swatch(STATUSES[attempts.status[at]]), describe(at))),
        failure ? el('pre', {}, failure.text) : '',
      )
      const last = own.at(-1)
      if (reveal && last !== undefined) {
        const span = Math.max(attempts.ms[last] * 8, (to - from) / 20)
        const middle = attempts.start[last] + attempts.ms[last] / 2
        if (attempts.start[last] < from || attempts.start[last] > to)
          show(middle - span / 2, middle + span / 2)
      }
      redraw()
    }

    const button = (label, title, act) =>
      el('button', { type: 'button', title, 'aria-label': title, onclick: act }, label)
    const left =
      data.attemptsLeftOut > 0
        ? ` ${number(data.attemptsLeftOut)} attempts that went well are not listed.`
        : ''
    report.append(
      section(
        'Timeline',
        el(
          'div',
          { class: 'tools' },
          button('+', 'Zoom in', () => zoom(0.6)),
          button('−', 'Zoom out', () => zoom(1 / 0.6)),
          button('All', 'Show the whole run', () => show(0, end)),
          `wheel zooms, dragging moves, a click tells more.${left}`,
        ),
        el('p', {}),
        canvas,
        el(
          'div',
          { class: 'legend' },
          ...['ok', 'flaky', 'retried', 'failed'].map((status) => el('span', {}, swatch(status), status)),
          el('span', {}, swatch('boot'), 'starting'),
          el('span', {}, '✕ worker lost'),
        ),
        detail,
      ),
      tip,
    )
    redraw()
  }

  /** Rows of the workers; items that overlap in one worker get rows of their own. */
  function layOut() {
    const lanesOf = new Map()
    const laneOf = new Int32Array(size)
    for (const { workerId } of workers) lanesOf.set(workerId, [0])
    for (let at = 0; at < size; at++) {
      const worker = attempts.worker[at]
      const lanes = lanesOf.get(worker) ?? []
      lanesOf.set(worker, lanes)
      const start = attempts.start[at]
      let lane = lanes.findIndex((until) => until <= start + 0.02)
      if (lane < 0) lane = Math.min(lanes.length, 15)
      lanes[lane] = start + attempts.ms[at]
      laneOf[at] = lane
    }
    const list = [...lanesOf]
      .sort((a, b) => a[0] - b[0])
      .map(([workerId, lanes]) => ({ workerId, lanes: Math.max(1, lanes.length) }))
    const first = new Map()
    let next = 0
    for (const { workerId, lanes } of list) {
      first.set(workerId, next)
      next += lanes
    }
    const rowOf = Int32Array.from(laneOf, (lane, at) => first.get(attempts.worker[at]) + lane)
    return { list, first, rowOf }
  }

  function describe(at) {
    const tries = attempts.attempt[at] > 1 ? `, attempt ${attempts.attempt[at]}` : ''
    return `item ${attempts.index[at]}${tries}: ${STATUSES[attempts.status[at]]} after ${time(attempts.ms[at])} on worker ${attempts.worker[at]}, from ${time(attempts.start[at])} on`
  }

  // ── how long things took ───────────────────────────────────────────────────────────────────────────────────────

  function durations() {
    if (size === 0) return
    const sorted = Float64Array.from(attempts.ms).sort()
    const at = (part) => sorted[Math.min(size - 1, Math.floor(part * size))]
    const facts = [
      ['shortest', 0],
      ['median', 0.5],
      ['95 %', 0.95],
      ['99 %', 0.99],
      ['longest', 1],
    ]
    const canvas = el('canvas', {
      role: 'img',
      'aria-label': `Distribution of durations: median ${time(at(0.5))}, longest ${time(at(1))}`,
    })
    const HEIGHT = 150
    canvas.style.height = `${HEIGHT}px`
    const low = Math.max(0.01, sorted[0])
    const high = Math.max(low * 1.01, sorted[size - 1])
    const steps = Math.max(1, Math.log(high / low))
    const draw = () => {
      const ratio = devicePixelRatio || 1
      const wide = canvas.clientWidth
      canvas.width = wide * ratio
      canvas.height = HEIGHT * ratio
      const pen = canvas.getContext('2d')
      pen.scale(ratio, ratio)
      const bins = Math.max(10, Math.min(60, Math.floor(wide / 12)))
      const good = new Int32Array(bins)
      const bad = new Int32Array(bins)
      for (let i = 0; i < size; i++) {
        const bin = Math.max(
          0,
          Math.min(bins - 1, Math.floor((Math.log(Math.max(low, attempts.ms[i]) / low) / steps) * bins)),
        )
        if (attempts.status[i] === FAILED || attempts.status[i] === RETRIED) bad[bin]++
        else good[bin]++
      }
      const most = Math.max(...good.map((count, bin) => count + bad[bin]), 1)
      for (let bin = 0; bin < bins; bin++) {
        const unit = (HEIGHT - 34) / most
        const x = (bin * wide) / bins
        const goodHeight = good[bin] === 0 ? 0 : Math.max(2, good[bin] * unit)
        const badHeight = bad[bin] === 0 ? 0 : Math.max(2, bad[bin] * unit)
        pen.fillStyle = color('ok')
        pen.fillRect(x, HEIGHT - 18 - goodHeight, wide / bins - 2, goodHeight)
        pen.fillStyle = color('failed')
        pen.fillRect(x, HEIGHT - 18 - goodHeight - badHeight, wide / bins - 2, badHeight)
      }
      pen.fillStyle = color('soft')
      pen.font = '12px system-ui, sans-serif'
      for (const part of [0, 0.25, 0.5, 0.75])
        pen.fillText(time(low * Math.exp(part * steps)), part * wide, HEIGHT - 4)
      pen.textAlign = 'right'
      pen.fillText(time(high), wide, HEIGHT - 4)
    }
    redraws.push(draw)
    addEventListener('resize', draw)
    const list = facts.map(([name, part]) => `${name} ${time(at(part))}`).join(' · ')
    report.append(
      section('Durations', canvas, el('p', { class: 'empty' }, `${list} (the scale is logarithmic)`)),
    )
    draw()
  }

  // ── tables ─────────────────────────────────────────────────────────────────────────────────────────────────────

  function table(titles, rows, numeric) {
    const kind = (place) => (numeric.includes(place) ? 'number' : undefined)
    return el(
      'div',
      { class: 'scroll' },
      el(
        'table',
        {},
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            ...titles.map((title, place) => el('th', { class: kind(place), scope: 'col' }, title)),
          ),
        ),
        el('tbody', {}, ...rows),
      ),
    )
  }

  function attemptRow(at) {
    const status = STATUSES[attempts.status[at]]
    const pick = () => choose(attempts.index[at])
    return el(
      'tr',
      { class: 'pick', tabindex: '0', onclick: pick, onkeydown: (event) => event.key === 'Enter' && pick() },
      el('td', { class: 'number' }, String(attempts.index[at])),
      el(
        'td',
        {},
        swatch(status),
        attempts.attempt[at] > 1 ? `${status} (attempt ${attempts.attempt[at]})` : status,
      ),
      el('td', { class: 'number' }, time(attempts.ms[at])),
      el('td', { class: 'number' }, String(attempts.worker[at])),
      el('td', { class: 'number' }, time(attempts.start[at])),
    )
  }
  const TITLES = ['item', 'outcome', 'took', 'worker', 'began at']
  const NUMERIC = [0, 2, 3, 4]

  function slowest() {
    if (size === 0) return
    const order = Array.from({ length: size }, (_, at) => at).sort((a, b) => attempts.ms[b] - attempts.ms[a])
    return section('Slowest items', table(TITLES, order.slice(0, 10).map(attemptRow), NUMERIC))
  }

  function workerTable() {
    const busy = new Map()
    for (let at = 0; at < size; at++) {
      const sum = busy.get(attempts.worker[at]) ?? { ms: 0, items: 0 }
      sum.ms += attempts.ms[at]
      sum.items++
      busy.set(attempts.worker[at], sum)
    }
    const ids = [...new Set(workers.map(({ workerId }) => workerId))].sort((a, b) => a - b)
    const rows = ids.slice(0, 200).map((id) => {
      const { ms, items } = busy.get(id) ?? { ms: 0, items: 0 }
      const own = workers.filter(({ workerId }) => workerId === id)
      const part = Math.min(100, Math.round((100 * ms) / Math.max(1, data.tookMs)))
      const bar = el('span', { class: 'share' })
      bar.style.width = `${part * 0.6}px`
      const ends = own
        .filter(({ crashed }) => crashed)
        .map(({ exitCode, signal }) => signal ?? `exit ${exitCode}`)
      return el(
        'tr',
        {},
        el('td', { class: 'number' }, String(id)),
        el('td', {}, own.map(({ pid }) => pid).join(', ')),
        el('td', { class: 'number' }, number(items)),
        el('td', {}, bar, ` ${part} %`),
        el('td', {}, ends.join(', ')),
      )
    })
    return section('Workers', table(['worker', 'pids', 'attempts', 'in tasks', 'lost'], rows, [0, 2]))
  }

  function items() {
    if (size === 0) return
    const STEP = 20
    let shown = STEP
    const body = el('div')
    const status = el(
      'select',
      { 'aria-label': 'Outcome', id: 'status', onchange: () => fill(STEP) },
      el('option', { value: '' }, 'every outcome'),
      ...STATUSES.map((name, value) => el('option', { value }, name)),
    )
    const search = el('input', {
      type: 'search',
      id: 'find',
      placeholder: 'Item index',
      'aria-label': 'Item index',
      oninput: () => fill(STEP),
    })
    const fill = (count) => {
      shown = count
      const rows = []
      let found = 0
      for (let at = 0; at < size; at++) {
        if (status.value !== '' && attempts.status[at] !== Number(status.value)) continue
        if (search.value.trim() !== '' && String(attempts.index[at]) !== search.value.trim()) continue
        if (found++ < shown) rows.push(attemptRow(at))
      }
      body.replaceChildren(
        found === 0 ? el('p', { class: 'empty' }, 'No such item.') : table(TITLES, rows, NUMERIC),
        found > shown
          ? el('button', { type: 'button', onclick: () => fill(shown * 4) }, `Show more of ${number(found)}`)
          : '',
      )
    }
    fill(STEP)
    report.append(section('All items', el('div', { class: 'tools' }, search, status), body))
  }

  setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
  head()
  failureSection()
  timeline()
  durations()
  report.append(
    el('div', { class: 'columns' }, ...[slowest(), workerTable()].filter((part) => part !== undefined)),
  )
  items()
  document.title = `${data.exitCode === 0 ? '✓' : '✗'} poolrun ${data.command} ${data.job}`
})()
