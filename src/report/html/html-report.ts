// `--report html`: one file that needs neither a network nor a server. Text from a job travels as JSON and becomes text
// nodes only; the page's content security policy allows no script but its own, by hash.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RunRecord } from '../files/run-record.js'
import { type PageData, toPageData } from './page-data.js'

export interface PageAssets {
  readonly style: string
  readonly script: string
}

/** By default from where the build puts them: beside the bundle of this file. */
export function readPageAssets(folder = import.meta.dirname): PageAssets {
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  return { style: read('page.css'), script: read('page.js') }
}

export function renderHtml(record: RunRecord, { style, script }: PageAssets = readPageAssets()): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>poolrun report</title>
<style>${style}</style>
</head>
<body>
<noscript>This report needs JavaScript: its own script draws it.</noscript>
<main id="report"></main>
<script type="application/json" id="data">${embedded(toPageData(record))}</script>
<script>${script}</script>
</body>
</html>
`
}

/** Without any `<`, so that neither an end tag nor a comment can start inside. */
function embedded(data: PageData): string {
  return JSON.stringify(data)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
