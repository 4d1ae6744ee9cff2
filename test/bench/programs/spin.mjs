// A fixed amount of CPU work. Knows nothing of time; `turnsPerMs` finds out how much fits in one.

export function spin(turns) {
  let x = 1
  for (let i = 0; i < turns; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0
  return x
}

/** The fastest of many short looks: what disturbs a look only ever slows it down. */
export function turnsPerMs() {
  const turns = 200_000
  let best = Number.POSITIVE_INFINITY
  for (let look = 0; look < 50; look++) {
    const began = performance.now()
    spin(turns)
    best = Math.min(best, performance.now() - began)
  }
  return Math.round(turns / best)
}
