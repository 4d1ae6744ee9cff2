// `npm run simulate -- --seed N [--runs N] [--seconds S] [--trace]`: runs with the seeds N, N + 1, … Exits with 1 at the
// first violation, and prints the seed that repeats it.
import { parseArgs } from 'node:util'
import { simulate } from './simulation.js'
import { realNow, realTurn } from './virtual-time.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string' },
    seconds: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const runs =
  values.runs === undefined && values.seconds === undefined
    ? 1
    : Number(values.runs ?? Number.POSITIVE_INFINITY)
const forMs = Number(values.seconds ?? Number.POSITIVE_INFINITY) * 1000
const log = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined

let unhandled: { readonly error: unknown } | undefined
process.on('unhandledRejection', (error) => {
  unhandled ??= { error }
})

// Not within a promise callback: those of a simulation run inside of its steps.
await realTurn()
setImmediate(run)

function run(): void {
  const startedAt = realNow()
  let inputs = 0
  let done = 0
  // The machine may do other things: the time of this process says what the simulator itself takes.
  const cpuBefore = process.cpuUsage().user
  const speed = () => {
    const seconds = (realNow() - startedAt) / 1000
    const cpuSeconds = (process.cpuUsage().user - cpuBefore) / 1e6
    const rates = [seconds, cpuSeconds].map((each) => Math.round(inputs / each).toLocaleString('en'))
    return `${inputs} scheduler inputs in ${seconds.toFixed(1)} s (${rates[0]} per second, ${rates[1]} per second of CPU time)`
  }
  const batch = () => {
    const until = realNow() + 100
    while (done < runs && realNow() < until) {
      const seed = first + done
      const outcome = simulate(seed, log)
      inputs += outcome.inputs
      done++
      if (outcome.violation !== undefined) return fail(seed, outcome.violation)
      if (log !== undefined) break
    }
    // Rejections that nobody handles are known after a turn.
    setImmediate(() => {
      if (unhandled !== undefined)
        return fail(first + done - 1, `unhandled: ${String((unhandled.error as Error)?.stack)}`)
      if (done < runs && realNow() - startedAt < forMs) return batch()
      console.log(`simulate: ${done} runs from seed ${first}, ${speed()}: nothing found`)
    })
  }
  batch()
}

function fail(seed: number, violation: string): void {
  console.log(`simulate: ${violation}\nrepeat it with: npm run simulate -- --seed ${seed} --trace`)
  process.exitCode = 1
}
