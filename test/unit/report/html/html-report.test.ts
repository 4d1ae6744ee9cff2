// The file around the page: which script the policy allows, and that data stays data.
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { RunRecord } from '../../../../src/report/files/run-record.js'
import { renderHtml } from '../../../../src/report/html/html-report.js'

const ASSETS = { style: 'p { color: red }', script: "document.title = '✓'" }
const EVIL = '</script><script>alert(1)</script><!-- \u2028\u2029'

function render(): string {
  const record: Partial<RunRecord> = { job: EVIL, attempts: [], workers: [], failures: [], warnings: [EVIL] }
  return renderHtml(record as RunRecord, ASSETS)
}

it('allows the page’s own style and script by their hashes, and nothing else', () => {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(render())!
  expect(policy).toBe(
    `default-src 'none'; style-src ${hash(ASSETS.style)}; script-src ${hash(ASSETS.script)}; base-uri 'none'; form-action 'none'`,
  )
  expect(render()).toContain(`<script>${ASSETS.script}</script>`)
})

it('embeds data so that no text in it can end the script element', () => {
  const html = render()
  expect(html.match(/<\/?script/g)).toHaveLength(4)
  expect(html).not.toMatch(/[\u2028\u2029]/)
  const [, json] = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)!
  expect(JSON.parse(json!)).toMatchObject({ job: EVIL, warnings: [EVIL] })
})
