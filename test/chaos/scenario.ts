// One run of the command line, drawn at random: what its items do, the options, how the input arrives, when workers are
// killed. Everything follows from the seed.

import { createRandom, type Random } from '../helpers/random.js'
import type { Order } from './job/orders.js'

type CommandName = 'map' | 'imap' | 'imap-unordered' | 'collect'
type InputFormat = 'ndjson' | 'json' | 'lines' | 'nul'

export interface Scenario {
  readonly seed: number
  readonly command: CommandName
  readonly orders: readonly Order[]
  readonly format: InputFormat
  readonly feed: 'file' | 'pipe' | 'slow-pipe'
  readonly output: 'ndjson' | 'json'
  readonly unordered: boolean
  readonly processes: number
  readonly concurrency: number
  readonly retries: number
  readonly timeoutMs: number | undefined
  /** Items so cheap that they may begin again after a kill. */
  readonly cheap: boolean
  readonly callbacks: boolean
  /** Mean pause between SIGKILLs of workers, from outside. */
  readonly killEveryMs: number | undefined
  /** Kills at most. */
  readonly kills: number
  /** Some workers are stopped instead of killed; only a timeout can find those. */
  readonly freezes: boolean
  /** The run itself is interrupted after this time. */
  readonly interrupt: { readonly afterMs: number; readonly signal: 'SIGINT' | 'SIGTERM' } | undefined
  readonly flags: readonly string[]
}

const HARMLESS: readonly Order['do'][] = ['value', 'value', 'value', 'value', 'sleep', 'print', 'big']
const FAILING: readonly Order['do'][] = ['throw', 'reject', 'bigint', 'flaky']
const CRASHING: readonly Order['do'][] = ['exit', 'exit-later', 'kill', 'vanish', 'escape', 'abort']
const ENDLESS: readonly Order['do'][] = ['hang', 'hang-politely', 'busy']

export function drawScenario(seed: number): Scenario {
  const random = createRandom(seed)
  const { chance, int, pick } = random
  const cheap = chance(0.35)
  const killed = chance(0.5)
  const command = pick(['map', 'imap', 'imap-unordered', 'collect', 'collect', 'collect'] as const)
  const timeoutMs = chance(0.35) ? int(300, 800) : undefined
  const format = pick(['ndjson', 'ndjson', 'json', 'lines', 'nul'] as const)
  const count = cheap ? int(0, 20_000) : pick([0, 1, int(2, 30), int(30, 400)])
  // Runs of `map` and `imap` in which every item succeeds must occur, too.
  const peaceful = chance(command === 'collect' ? 0.15 : 0.5)
  const malformed = command === 'collect' && format === 'ndjson'
  const orders = drawOrders(random, { count, cheap, peaceful, timed: timeoutMs !== undefined, malformed })
  const processes = int(1, 4)
  return {
    seed,
    command,
    orders,
    format,
    feed: pick(['file', 'pipe', 'slow-pipe']),
    output: chance(0.2) ? 'json' : 'ndjson',
    unordered: command === 'imap-unordered' || (command === 'collect' && chance(0.3)),
    processes,
    concurrency: drawConcurrency(random),
    retries: chance(0.3) ? int(1, 2) : 0,
    timeoutMs,
    cheap,
    callbacks: chance(0.6),
    killEveryMs: killed ? int(20, 300) : undefined,
    kills: int(1, 8),
    freezes: timeoutMs !== undefined && chance(0.3),
    interrupt: chance(0.08) ? { afterMs: int(50, 1500), signal: pick(['SIGINT', 'SIGTERM']) } : undefined,
    flags: drawFlags(random, count),
  }
}

/** A few lanes, or hundreds, of which most wait for others to settle. */
export function drawConcurrency({ chance, int, pick }: Random): number {
  return chance(0.5) ? pick([int(2, 6), int(2, 6), int(7, 40), int(40, 300)]) : 1
}

export interface OrdersWanted {
  readonly count: number
  readonly cheap: boolean
  readonly peaceful: boolean
  readonly timed: boolean
  readonly malformed: boolean
}

export function drawOrders({ chance, int, pick }: Random, wanted: OrdersWanted): Order[] {
  const { count, cheap, peaceful, timed, malformed } = wanted
  // A crash costs a process start; a big result is up to a megabyte.
  let crashesLeft = int(0, 6)
  const sleepMs = int(0, 30)
  const failureRate = pick([0, 0.01, 0.1, 0.5])
  const kindOf = (): Order['do'] => {
    if (!peaceful && crashesLeft > 0 && chance(Math.max(0.03, 5 / Math.max(1, count)))) {
      crashesLeft--
      return pick(timed && chance(0.4) ? ENDLESS : CRASHING)
    }
    if (!peaceful && chance(failureRate)) return pick(FAILING)
    if (malformed && !peaceful && chance(0.01)) return 'malformed'
    return cheap && !chance(0.002) ? 'value' : pick(HARMLESS)
  }
  let bigLeft = 8
  return Array.from({ length: count }, (_, i): Order => {
    const kind = kindOf()
    if (kind === 'big' && bigLeft-- > 0)
      return { i, do: kind, size: pick([1_000, 70_000, int(1, 1_000_000)]) }
    if (kind === 'value') return cheap ? { i, do: kind } : { i, do: kind, ms: chance(0.1) ? int(0, 20) : 0 }
    return { i, do: kind, ms: int(0, sleepMs) }
  })
}

/** Bounded by the number of items: one process start for each of thousands would only be slow. */
function drawFlags({ chance, int, pick }: Random, count: number): string[] {
  const flags: string[] = []
  const add = (probability: number, flag: string, value: () => string | number) => {
    if (chance(probability)) flags.push(flag, String(value()))
  }
  add(0.5, '--chunk-size', () => pick([1, 2, 3, 7, 50, 1000]))
  add(0.2, '--buffer-size', () => Math.max(pick([1, 2, 10, 100]), Math.ceil(count / 200)))
  add(0.25, '--max-tasks-per-child', () => Math.max(pick([1, 3, 10, 100]), Math.ceil(count / 40)))
  add(0.15, '--max-memory', () => pick(['90mb', '200mb', '1gb']))
  add(0.3, '--retry-delay', () => `${int(1, 60)}ms`)
  add(0.3, '--kill-after', () => `${int(50, 500)}ms`)
  add(0.3, '--job-output', () => pick(['lines', 'group', 'failed', 'none']))
  if (chance(0.1)) flags.push('--tag')
  if (chance(0.1)) flags.push('-v')
  return flags
}

/** The input as in its file or pipe. */
export function inputOf({ orders, format }: Scenario): string {
  const texts = orders.map((order) => (order.do === 'malformed' ? `{"i":${order.i},` : JSON.stringify(order)))
  if (format === 'json') return `[${texts.join(',\n')}]`
  return texts.map((text) => text + (format === 'nul' ? '\0' : '\n')).join('')
}

export interface Paths {
  readonly job: string
  readonly callbacks: string
  readonly input: string
}

export function argumentsOf(scenario: Scenario, paths: Paths): string[] {
  const { command, feed, format, output, unordered, processes, concurrency, retries, timeoutMs } = scenario
  return [
    command,
    paths.job,
    '--input-format',
    format,
    ...(feed === 'file' ? ['--input', paths.input] : []),
    ...(output === 'json' ? ['--format', 'json'] : []),
    ...(unordered && command === 'collect' ? ['--unordered'] : []),
    '--processes',
    String(processes),
    ...(concurrency > 1 ? ['--concurrency', String(concurrency)] : []),
    ...(retries > 0 ? ['--retries', String(retries)] : []),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
    ...(scenario.callbacks ? ['--callbacks', paths.callbacks] : []),
    // Crashes are the subject, so there may be any number of them.
    '--max-worker-restarts',
    '1000000',
    ...scenario.flags,
  ]
}
