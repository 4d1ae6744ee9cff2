// The short form of `npm run test:chaos`: always the same runs.
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { chaos, describeTotals } from './chaos.js'

test('whatever jobs, options and kills are drawn, every item settles once and nothing is left behind', {
  timeout: 120_000,
}, async () => {
  const totals = await chaos({
    seed: 20_240,
    forMs: 15_000,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    cacheDir: inject('cacheDir'),
    limitMs: 60_000,
    log: () => {},
  })
  console.log(describeTotals(totals))
  expect(totals.found.join('\n')).toBe('')
  expect(totals.runs).toBeGreaterThan(0)
})
