// The short form of `npm run test:chaos`: always the same runs, or those of POOLRUN_SEED.
import { fileURLToPath } from 'node:url'
import { expect, inject, test } from 'vitest'
import { SEED } from '../helpers/random.js'
import { chaos, describeTotals } from './chaos.js'

/** Each costs half a second of processor time. A seed that has failed gets a line here, named by what was wrong. */
const CASES: readonly [name: string, seed: number, runs: number][] = [
  ['four runs', SEED, 4],
  ['collect, with malformed lines and crashes beside hundreds of items', 31, 1],
  ['map of one item that hangs, in a worker that is killed', 27, 1],
]

test.each(CASES)(
  'whatever jobs, options and kills are drawn, every item settles once and no process is left: %s (seed %i)',
  { timeout: 120_000 },
  async (_, seed, runs) => {
    const totals = await chaos({
      seed,
      runs,
      root: fileURLToPath(new URL('../..', import.meta.url)),
      cacheDir: inject('cacheDir'),
      limitMs: 60_000,
      log: () => {},
    })
    console.log(describeTotals(totals))
    expect(totals.found.join('\n')).toBe('')
    expect(totals.runs).toBe(runs)
  },
)
