// What one simulated run is made of: everything that a seed decides before the first step.
import type { Random } from '../helpers/random.js'

/** What an attempt at an item does. */
export const DOES = {
  succeed: 0,
  fail: 1,
  /** Never ends, and lets others run. */
  hang: 2,
  /** Ends when its signal aborts. */
  listen: 3,
  /** A busy loop. */
  block: 4,
  /** Ends its process without notice. */
  crash: 5,
  /** Ends its process, which announces it. */
  exit: 6,
  /** Ends, and its process does nothing more. */
  break: 7,
  /** Fails, and asks that no item begins for a while. */
  pause: 8,
} as const

export type Deed = (typeof DOES)[keyof typeof DOES]

const PREDICTABLE: ReadonlySet<number> = new Set([DOES.succeed, DOES.fail, DOES.pause])

type PolicyName = 'map' | 'imap' | 'collect' | 'lazy'

/** Of calls that keep one. */
interface JournalPlan {
  /** When it is synced. */
  readonly fsync: 'each' | '1s' | 'none'
  /** Failed items do not run again (`--resume=missing`). */
  readonly keepsFailures: boolean
}

export interface CallPlan {
  readonly items: number
  /** `values`: a call of the library. `bytes`: of the command line, from framed text to written lines. */
  readonly kind: 'values' | 'bytes'
  readonly policy: PolicyName
  readonly maxFailures: number | undefined
  readonly ordered: boolean
  readonly format: 'ndjson' | 'json'
  readonly chunkSize: number | undefined
  readonly windowItems: number
  readonly windowBytes: number
  readonly timeoutMs: number | undefined
  readonly retries: number
  readonly retryDelayMs: number
  readonly intervalMs: number | undefined
  /** By index. */
  readonly deeds: Uint8Array
  /** An item does what it does in so many attempts, and then succeeds. */
  readonly illAttempts: number
  /** Cannot be sent. Only of `values`. */
  readonly unsendable: ReadonlySet<number>
  /** How long an item takes (ms). */
  readonly itemMs: number
  /** Items are too cheap to be recorded one by one. */
  readonly isCheap: boolean
  readonly input: {
    /** Probability that the next part has to be waited for. */
    readonly stalls: number
    readonly stallMs: number
    /** It ends with an error before this item. */
    readonly tearsAt: number | undefined
    readonly isSized: boolean
    /** So many different items, again and again. */
    readonly different: number
    /** The last line has a line end. */
    readonly endsLine: boolean
  }
  readonly reader: {
    readonly stalls: number
    readonly stallMs: number
    /** It leaves after so many items (`values`) or bytes. */
    readonly leavesAfter: number | undefined
    /** Results are written to the disk instead. */
    readonly isDisk: boolean
  }
  /** When it begins, and what ends it early, in steps. */
  readonly opensAt: number
  readonly drainsAt: number | undefined
  readonly endsAt: number | undefined
  readonly abortsAt: number | undefined
  /** The hook that is called for settled ranges returns a promise. */
  readonly slowHook: boolean
  readonly journal: JournalPlan | undefined
}

export interface RunPlan {
  readonly processes: number
  readonly concurrency: number
  readonly killAfterMs: number
  readonly maxRestarts: number
  readonly bootLimit: number | undefined
  readonly promptWorkers: number | undefined
  readonly maxTasksPerChild: number | undefined
  readonly maxMemoryBytes: number | undefined
  readonly records: boolean
  readonly finalizerHangs: boolean
  /** Probability of each of them, per message or item of a worker. */
  readonly lateness: number
  readonly lies: number
  readonly kills: number
  readonly stops: number
  readonly initFails: number
  readonly recorderFails: number
  /** Workers that start before there is a call. */
  readonly startsAhead: number
  readonly calls: readonly CallPlan[]
  /** In which step each parent crashes. The one after the last of them does not. */
  readonly crashesAt: readonly number[]
  readonly suspendsAt: number | undefined
  readonly end: 'close' | 'terminate' | 'kill'
  readonly diskRoom: number
}

const sometimes = <T>(random: Random, probability: number, make: () => T): T | undefined =>
  random.chance(probability) ? make() : undefined

export function planRun(random: Random): RunPlan {
  const isCalm = random.chance(0.35)
  const rarely = (probability: number, value: number) => (!isCalm && random.chance(probability) ? value : 0)
  const calls = Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, id) => planCall(random, id, isCalm))
  return {
    processes: random.pick([1, 2, 2, 3, 4]),
    concurrency: random.pick([1, 1, 1, 2, 3]),
    killAfterMs: random.pick([0, 50, 2_000]),
    maxRestarts: isCalm ? 1_000 : random.pick([0, 3, 1_000, 1_000, 1_000, 1_000]),
    bootLimit: random.pick([undefined, 1, 2]),
    promptWorkers: random.pick([undefined, undefined, 1, 2]),
    maxTasksPerChild: random.pick([undefined, undefined, undefined, 1, 4, 10]),
    maxMemoryBytes: sometimes(random, 0.1, () => 1_000),
    records: random.chance(0.8),
    finalizerHangs: random.chance(0.1),
    lateness: random.pick([0, 0.02, 0.2]),
    lies: rarely(0.15, 0.02),
    kills: rarely(0.4, random.pick([0.002, 0.02])),
    stops: rarely(0.15, 0.01),
    initFails: rarely(0.1, 0.1),
    recorderFails: rarely(0.1, 0.01),
    startsAhead: random.int(0, 2),
    calls,
    crashesAt: random.chance(0.1) ? [random.int(1, 600)] : [],
    suspendsAt: sometimes(random, 0.05, () => random.int(1, 300)),
    end: random.pick(['close', 'close', 'close', 'terminate', 'kill']),
    diskRoom: random.chance(0.1) ? random.int(0, 2_000) : Number.POSITIVE_INFINITY,
  }
}

function planCall(random: Random, id: number, isCalm: boolean): CallPlan {
  const items = random.pick([0, 1, 5, 40, 100, 300, 600])
  const kind = random.chance(0.6) ? 'bytes' : 'values'
  const policy = random.pick<PolicyName>(
    kind === 'values' ? ['lazy', 'map'] : ['map', 'imap', 'collect', 'collect'],
  )
  const timeoutMs = sometimes(random, 0.2, () => random.pick([20, 100, 1_000]))
  const once = (at: number, probability: number) =>
    sometimes(random, isCalm ? 0 : probability, () => random.int(0, at))
  return {
    items,
    kind,
    policy,
    maxFailures: policy === 'collect' ? sometimes(random, 0.15, () => random.int(1, 10)) : undefined,
    ordered: random.chance(0.7),
    format: policy !== 'map' && random.chance(0.3) ? 'json' : 'ndjson',
    chunkSize: random.pick([1, 1, 1, 2, 7, undefined]),
    windowItems: random.pick([1, 4, 30, 100_000, 100_000]),
    windowBytes: random.pick([1, 200, 1e9, 1e9]),
    timeoutMs,
    retries: random.pick([0, 0, 1, 3]),
    retryDelayMs: random.pick([0, 0, 5, 200]),
    intervalMs: sometimes(random, 0.08, () => random.pick([0.5, 3, 20])),
    deeds: planDeeds(random, items, isCalm, timeoutMs !== undefined, policy),
    illAttempts: random.pick([1, 2, 1_000]),
    unsendable: new Set(
      kind === 'values' && random.chance(0.1) ? [random.int(0, items), random.int(0, items)] : [],
    ),
    itemMs: random.pick([0.001, 0.1, 1, 1, 30]),
    isCheap: timeoutMs === undefined && random.chance(0.3),
    input: {
      stalls: random.pick([0, 0.05, 0.5]),
      stallMs: random.pick([0.1, 5, 300]),
      tearsAt: once(items, 0.1),
      isSized: random.chance(0.5),
      different: items,
      endsLine: random.chance(0.8),
    },
    reader: {
      stalls: random.pick([0, 0, 0.05, 0.5]),
      stallMs: random.pick([0.1, 10, 1_000]),
      leavesAfter: once(kind === 'values' ? items : 4 * items, 0.1),
      isDisk: random.chance(0.3),
    },
    opensAt: id === 0 ? 0 : random.int(0, 300),
    drainsAt: once(500, 0.1),
    endsAt: once(500, 0.06),
    abortsAt: kind === 'values' ? once(500, 0.06) : undefined,
    slowHook: random.chance(0.15),
    journal: undefined,
  }
}

/** The same run with journals, and more often a parent that crashes. */
export function withJournals(plan: RunPlan, random: Random): RunPlan {
  const crashes = random.pick([0, 1, 1, 1, 2, 3])
  return {
    ...plan,
    crashesAt: Array.from({ length: crashes }, () => random.int(1, random.pick([50, 200, 600]))),
    calls: plan.calls.map((call) => {
      if (call.kind !== 'bytes') return call
      const different = random.pick([1, 3, call.items, call.items])
      return {
        ...call,
        input: { ...call.input, different: Math.max(1, Math.min(different, call.items)) },
        journal: { fsync: random.pick(['each', 'each', '1s', 'none']), keepsFailures: random.chance(0.3) },
      }
    }),
  }
}

/** Whatever ends a run from outside does so no longer: what was begun comes to its end. */
export function mended(plan: RunPlan): RunPlan {
  return {
    ...plan,
    calls: plan.calls.map((call) => ({
      ...call,
      input: { ...call.input, tearsAt: undefined },
      reader: { ...call.reader, leavesAfter: undefined },
      drainsAt: undefined,
      endsAt: undefined,
      abortsAt: undefined,
    })),
  }
}

/** What becomes of an item depends on it alone. */
export function isPredictable(plan: RunPlan): boolean {
  const { kills, lies, stops, initFails, recorderFails, maxMemoryBytes, calls } = plan
  if (kills + lies + stops + initFails + recorderFails > 0 || maxMemoryBytes !== undefined) return false
  // What one call does to a worker, as when it is aborted, ends items of others.
  if (calls.length > 1) return false
  return calls.every(
    ({ timeoutMs, unsendable, deeds }) =>
      timeoutMs === undefined && unsendable.size === 0 && deeds.every((deed) => PREDICTABLE.has(deed)),
  )
}

/** Most items succeed: what one of them does needs company to matter. */
function planDeeds(
  random: Random,
  items: number,
  isCalm: boolean,
  isTimed: boolean,
  policy: PolicyName,
): Uint8Array {
  const deeds = new Uint8Array(items)
  const share = random.pick([0, 0.01, 0.05, 0.3]) * (policy === 'map' ? 0.05 : 1)
  if (share === 0) return deeds
  const all: Deed[] = [DOES.fail, DOES.fail, DOES.fail, DOES.pause]
  if (!isCalm) all.push(DOES.crash, DOES.crash, DOES.exit, DOES.break)
  if (isTimed) all.push(DOES.hang, DOES.listen, DOES.block)
  else if (random.chance(0.1)) all.push(DOES.hang, DOES.listen)
  for (let index = 0; index < items; index++) if (random.chance(share)) deeds[index] = random.pick(all)
  return deeds
}
