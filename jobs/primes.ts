// Counts the primes from `from` up to, but not including, `to`: pure CPU work that a single process cannot parallelise.
// It takes several arguments: poolrun starmap jobs/primes.ts -i jobs/data/ranges.json
export default function primes(from: number, to: number) {
  const composite = new Uint8Array(to)
  let count = 0
  for (let n = 2; n < to; n++) {
    if (composite[n]) continue
    if (n >= from) count++
    for (let multiple = n * n; multiple < to; multiple += n) composite[multiple] = 1
  }
  return count
}
