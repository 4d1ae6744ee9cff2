// `npm run bench`: runs the row-groups, prints the facts of the machine and a table of ratios against other programs
// in the same run. `--only 1,4`, `--runs 5`, `--json out.json`. Knows nothing of what a row measures.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { alternate } from './measure.js'
import { firstLine, parallel, python } from './tools.js'

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, runs: { type: 'string', default: '3' }, json: { type: 'string' } },
})
const runs = Number(options.runs)
if (!Number.isInteger(runs) || runs < 1) throw new RangeError(`--runs ${options.runs}: a positive integer`)

const facts = {
  commit: firstLine('git', 'rev-parse', '--short', 'HEAD') ?? 'unknown',
  node: process.version,
  cores: os.availableParallelism(),
  cpu: os.cpus()[0]?.model ?? 'unknown',
  kernel: os.release(),
  python: (python && firstLine(python, '--version')) ?? 'none',
  parallel: (parallel && firstLine(parallel, '--version')) ?? 'none',
  load: os.loadavg()[0]?.toFixed(1),
  runs,
}
for (const [name, value] of Object.entries(facts)) console.log(`${name.padEnd(8)} ${value}`)

const folder = new URL('rows/', import.meta.url)
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.js'))
  .sort()
const groups = await Promise.all(files.map(async (file) => (await import(new URL(file, folder))).default))
const numbers = groups.map(({ number }) => number)
const chosen = options.only?.split(',').map(Number) ?? numbers
const unknown = chosen.filter((number) => !numbers.includes(number))
if (unknown.length > 0) throw new RangeError(`--only ${unknown.join(',')}: rows are ${numbers.join(', ')}`)

const rows = []
const skipped = []
const tmp = mkdtempSync(path.join(os.tmpdir(), 'poolrun-bench-'))
const cleanUp = () => rmSync(tmp, { recursive: true, force: true })
process.once('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))

for (const { number, title, run } of groups) {
  if (!chosen.includes(number)) continue
  console.log(`\n${number}. ${title}`)
  await run({
    tmp,
    runs,
    alternate: (contestants, rounds = runs) => alternate(contestants, rounds),
    /** How often the peer's time holds ours; or, with `atMost`, how often ours holds the peer's. */
    row({ versus, ours, peer, unit = 'ms', atLeast, atMost }) {
      const ratio = atMost === undefined ? peer / ours : ours / peer
      report({ group: number, versus, ours, peer, unit, ratio, atLeast, atMost })
    },
    skip(versus, why) {
      skipped.push({ group: number, versus, why })
      console.log(`  ******** SKIPPED: ${versus}: ${why} ********`)
    },
  })
}

function report(row) {
  const { versus, ours, peer, unit, ratio, atLeast, atMost } = row
  const met = (atLeast === undefined || ratio >= atLeast) && (atMost === undefined || ratio <= atMost)
  rows.push({ ...row, met })
  const reach = [atLeast !== undefined && `≥ ${atLeast}`, atMost !== undefined && `≤ ${atMost}`].find(Boolean)
  const verdict = reach === undefined ? '' : met ? 'met' : 'MISSED'
  const figures = [`${number(ours)} ${unit}`, peer === undefined ? '' : `${number(peer)} ${unit}`]
  const cells = [...figures.map((text) => text.padStart(12)), `${ratio.toFixed(2)} ×`.padStart(9)]
  console.log(`  ${versus.padEnd(52)}${cells.join('')}  ${(reach ?? '').padEnd(7)}${verdict}`)
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

const missed = rows.filter(({ met }) => !met)
console.log(`\n${rows.length} rows, ${missed.length} missed, ${skipped.length} skipped`)
if (options.json !== undefined)
  writeFileSync(options.json, `${JSON.stringify({ facts, rows, skipped }, null, 2)}\n`)
