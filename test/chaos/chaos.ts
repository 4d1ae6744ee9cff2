// The loop: draws scenarios, performs them, verifies them, counts. Logs everything needed to reproduce a failure.
import { type Bench, type Observed, perform } from './launch.js'
import { drawPoolPlan, performPool } from './pool-run.js'
import { argumentsOf, drawScenario } from './scenario.js'
import { verify } from './verify.js'

export interface ChaosOptions extends Bench {
  readonly seed: number
  /** Stops after this time or after this number of runs, whichever comes first. */
  readonly forMs?: number | undefined
  readonly runs?: number | undefined
  readonly log: (line: string) => void
}

export interface ChaosTotals {
  readonly seed: number
  runs: number
  items: number
  begun: number
  kills: number
  slowest: { readonly seed: number; readonly ms: number }
  readonly found: string[]
}

export async function chaos(options: ChaosOptions): Promise<ChaosTotals> {
  const { seed, forMs = Number.POSITIVE_INFINITY, runs = Number.POSITIVE_INFINITY, log } = options
  const totals: ChaosTotals = {
    seed,
    runs: 0,
    items: 0,
    begun: 0,
    kills: 0,
    slowest: { seed, ms: 0 },
    found: [],
  }
  const until = performance.now() + forMs
  while (totals.runs < runs && performance.now() < until) {
    const drawn = seed + totals.runs
    totals.runs++
    const { wrong, items, begun, kills, durationMs } =
      drawn % POOL_EVERY === 0 ? await runPool(drawn, options) : await runCommandLine(drawn, options)
    totals.items += items
    totals.begun += begun
    totals.kills += kills
    if (durationMs > totals.slowest.ms) totals.slowest = { seed: drawn, ms: durationMs }
    if (wrong === undefined) continue
    totals.found.push(wrong)
    log(wrong)
  }
  return totals
}

interface Run {
  readonly items: number
  readonly begun: number
  readonly kills: number
  readonly durationMs: number
  /** What was wrong, with everything needed to reproduce it. */
  readonly wrong: string | undefined
}

/** One in this many runs uses the library's `Pool`, the others the command line. */
const POOL_EVERY = 4

async function runCommandLine(seed: number, bench: Bench): Promise<Run> {
  const scenario = drawScenario(seed)
  const observed = await perform(scenario, bench)
  const wrong = verify(scenario, observed)
  return {
    items: scenario.orders.length,
    begun: observed.begun.length,
    kills: observed.kills,
    durationMs: observed.durationMs,
    wrong: wrong.length === 0 ? undefined : reproduction(scenario, observed, wrong),
  }
}

async function runPool(seed: number, bench: Bench): Promise<Run> {
  const { plan, wrong, ...counts } = await performPool(drawPoolPlan(seed), bench)
  if (wrong.length === 0) return { ...counts, wrong: undefined }
  const calls = plan.calls.map(({ orders, ...call }) => ({
    ...call,
    items: orders.length,
    odd: orders.filter((order) => order.do !== 'value'),
  }))
  const text = [
    ...heading(seed, wrong),
    `   pool: ${shorten(JSON.stringify({ ...plan, calls }))}`,
    `   ${counts.kills} kills, ${Math.round(counts.durationMs)} ms`,
  ]
  return { ...counts, wrong: text.join('\n') }
}

function heading(seed: number, wrong: readonly string[]): string[] {
  return [
    `── seed ${seed}: npm run test:chaos -- --seed ${seed} --runs 1`,
    ...wrong.slice(0, 10).map((line) => `   wrong: ${line}`),
  ]
}

export function describeTotals({ seed, runs, items, begun, kills, slowest, found }: ChaosTotals): string {
  return `chaos: seed ${seed}: ${runs} runs, ${items} items, ${begun} begun, ${kills} workers killed from outside, slowest run ${Math.round(slowest.ms)} ms (seed ${slowest.seed}), ${found.length} wrong`
}

const MAX_TEXT_LENGTH = 4_000
const shorten = (text: string) =>
  text.length > MAX_TEXT_LENGTH ? `${text.slice(0, 1_000)}\n…\n${text.slice(-3_000)}` : text

function reproduction(
  scenario: ReturnType<typeof drawScenario>,
  observed: Observed,
  wrong: readonly string[],
): string {
  const { orders, ...rest } = scenario
  const args = argumentsOf(scenario, {
    job: 'test/chaos/job/job.ts',
    callbacks: 'test/chaos/job/callbacks.ts',
    input: 'input',
  })
  const odd = orders.filter((order) => order.do !== 'value')
  return [
    ...heading(scenario.seed, wrong),
    `   poolrun ${args.join(' ')}`,
    `   scenario: ${JSON.stringify(rest)}`,
    `   ${orders.length} items; those that are not a plain value: ${shorten(JSON.stringify(odd))}`,
    `   exit code ${observed.exitCode}, signal ${observed.signal}, ${observed.kills} kills, ${Math.round(observed.durationMs)} ms`,
    `   stderr: ${shorten(observed.stderr)}`,
  ].join('\n')
}
