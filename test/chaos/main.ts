// `npm run test:chaos -- --minutes N --seed S [--runs R]`: a random seed without --seed. Exits with 1 if something is wrong.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chaos, describeTotals } from './chaos.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    'limit-seconds': { type: 'string', default: '120' },
  },
})
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const cacheDir = mkdtempSync(join(tmpdir(), 'poolrun-chaos-cache-'))
console.log(`chaos: seed ${seed}`)
const totals = await chaos({
  seed,
  forMs: Number(values.minutes) * 60_000,
  runs: values.runs === undefined ? undefined : Number(values.runs),
  root: process.cwd(),
  cacheDir,
  limitMs: Number(values['limit-seconds']) * 1000,
  log: (line) => console.log(line),
})
rmSync(cacheDir, { recursive: true, force: true })
console.log(describeTotals(totals))
process.exitCode = totals.found.length > 0 ? 1 : 0
