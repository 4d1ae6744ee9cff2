// `--report html` in a browser: opened, clicked through.
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { AttemptRecord, RunRecord } from '../../src/report/files/run-record.js'
import { readPageAssets, renderHtml } from '../../src/report/html/html-report.js'
import { browserPath, closeBrowser, openPage } from '../helpers/browser.js'
import { lines, root, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const EVIL = `</script><img src=x onerror="alert(1)"><!-- \\u2028 \\u0000 \\ud800 {{x}}`
const JOB = `export default (n) => {
  if (n === 3 || n === 5) throw new TypeError('${EVIL}')
  if (n === 7) process.exit(9)
  return n
}`

function recordOf(size: number): RunRecord {
  const attempts: AttemptRecord[] = Array.from({ length: size }, (_, index) => ({
    index,
    item: `text ${index}`,
    attempt: 1,
    workerId: index % 4,
    pid: 100 + (index % 4),
    startedAt: 1_000_000 + Math.floor(index / 4) * 3,
    ms: 1 + (index % 7) / 3,
    status: index % 1000 === 9 ? 'failed' : 'ok',
  }))
  const worker = { readyAt: 1_000_000, endedAt: undefined, exitCode: null, signal: null, crashed: false }
  return {
    poolrun: '0.1.0',
    node: 'v20',
    command: 'collect',
    job: 'job.ts',
    cwd: '/project',
    processes: 4,
    startedAt: 999_900,
    endedAt: 1_000_000 + (size / 4) * 3 + 10,
    exitCode: 3,
    signal: undefined,
    summaryLine: 'poolrun collect: many',
    summary: undefined,
    workers: [0, 1, 2, 3].map((workerId) => ({
      workerId,
      pid: 100 + workerId,
      startedAt: 999_900,
      ...worker,
    })),
    attempts,
    attemptsLeftOut: 0,
    failures: [],
    failuresLeftOut: 0,
    warnings: [],
  }
}

/** With the style and the script from the build. */
function render(record: RunRecord): string {
  return renderHtml(record, readPageAssets(join(root, 'dist')))
}

describe.skipIf(browserPath === undefined)('the HTML report', () => {
  afterAll(closeBrowser)

  it('shows what failed and where, and shows what a job threw as text', async () => {
    const space = tempSpace()
    const job = space.write({ 'job.mjs': JOB })
    const file = space.path('r.html')
    const run = await runCli(['collect', job, '--report', `html=${file}`], {
      input: lines(...Array(20).keys()),
    })
    expect(run.exitCode).toBe(3)
    const { page, complaints } = await openPage(file)
    expect(await page.locator('.outcome').innerText()).toContain('17 ok, 3 failed (items 3, 5, 7)')
    const groups = page.locator('#groups summary')
    expect(await groups.count()).toBe(2)
    expect(await groups.first().innerText()).toContain('</script><img src=x onerror="alert(1)">')
    expect(await page.locator('img').count()).toBe(0)
    await page.locator('#groups button', { hasText: '5' }).first().click()
    expect(await page.locator('#groups pre').first().innerText()).toContain('RemoteTraceback: item 5')
    expect(await page.locator('#detail').innerText()).toContain('Item 5')
    await page.locator('#filter').fill('WorkerLostError')
    expect(await groups.count()).toBe(1)
    await page.locator('#filter').fill('no such text')
    expect(await groups.count()).toBe(0)
    await page.locator('#status').selectOption({ label: 'failed' })
    expect(await page.locator('tbody').last().locator('tr').count()).toBe(3)
    await page.locator('#find').fill('7')
    await page.locator('tbody').last().locator('tr').click()
    expect(await page.locator('#detail pre').innerText()).toContain('exited with code 9')
    expect(complaints).toEqual([])
  })

  it('says that a run never began, in the theme that the browser prefers, until the reader changes it', async () => {
    const file = tempSpace().path('r.html')
    writeFileSync(file, render({ ...recordOf(0), workers: [], summaryLine: 'the run did not begin' }))
    const { page, complaints } = await openPage(file, 'dark')
    expect(await page.locator('.outcome').innerText()).toContain('the run did not begin')
    const theme = () => page.evaluate('document.documentElement.dataset.theme')
    expect(await theme()).toBe('dark')
    await page.locator('#theme').click()
    expect(await theme()).toBe('light')
    expect(complaints).toEqual([])
  })

  it('is small and responsive with 100,000 items', async () => {
    const file = tempSpace().path('r.html')
    writeFileSync(file, render(recordOf(100_000)))
    expect(statSync(file).size).toBeLessThan(5_000_000)
    const { page, complaints } = await openPage(file)
    const canvas = page.locator('canvas').first()
    await canvas.hover()
    for (let n = 0; n < 10; n++) await page.mouse.wheel(0, -200)
    await page.locator('#find').fill('99999')
    expect(await page.locator('tbody').last().locator('tr').count()).toBe(1)
    await page.locator('tbody').last().locator('tr').click()
    expect(await page.locator('#detail').innerText()).toContain('item 99999: ok')
    await page.keyboard.press('Tab')
    expect(complaints).toEqual([])
  })
})
