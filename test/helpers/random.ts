// Random numbers that a seed repeats exactly. Tests use a fixed seed; set POOLRUN_SEED to try another one by hand.

const FIXED_SEED = 20_240

export const SEED = Number(process.env.POOLRUN_SEED ?? FIXED_SEED)

/** How many cases a random test tries. Fewer where the same tests run on several versions of Node. */
export function runs(usual: number): number {
  return Number(process.env.POOLRUN_RUNS ?? usual)
}

export interface Random {
  /** 0 ≤ x < 1 */
  next(): number
  /** low ≤ n ≤ high */
  int(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
}

/** mulberry32: small, fast, and good enough to choose test cases. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (from) => from[int(0, from.length - 1)]!,
  }
}
