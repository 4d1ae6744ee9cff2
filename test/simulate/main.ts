// `npm run simulate -- --seed N [--runs N] [--seconds S] [--trace]`: runs with the seeds N, N + 1, …, in as many threads
// as there are processors. Exits with 1 at the first violation, and prints the seed that repeats it.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { simulate } from './simulation.js'
import { realNow, realTurn } from './virtual-time.js'

interface Task {
  readonly firstSeed: number
  /** From one seed to the next. */
  readonly stride: number
  readonly runs: number
  readonly forMs: number
}

interface Done {
  runs: number
  inputs: number
  found: { readonly seed: number; readonly violation: string } | undefined
}

/** A run is garbage once it is over: a larger space for young objects makes a twentieth of the time unnecessary. */
const YOUNG_MB = 192
/** Real events of this thread are handled after so long. */
const TURN_MS = 100

/** Calls back when all runs are done, or one has found something. */
function runAll(
  { firstSeed, stride, runs, forMs }: Task,
  log: ((line: string) => void) | undefined,
  end: (done: Done) => void,
): void {
  const done: Done = { runs: 0, inputs: 0, found: undefined }
  const startedAt = realNow()
  let seed = firstSeed
  process.on('unhandledRejection', (error) => {
    done.found ??= {
      seed,
      violation: `nobody handles ${error instanceof Error ? error.stack : String(error)}`,
    }
  })
  const turn = () => {
    const until = realNow() + TURN_MS
    while (done.found === undefined && done.runs < runs && realNow() < until) {
      seed = firstSeed + done.runs * stride
      const { violation, inputs } = simulate(seed, log)
      if (violation !== undefined) done.found = { seed, violation }
      done.inputs += inputs
      done.runs++
    }
    // Rejections that nobody handles are known after a turn.
    setImmediate(() => {
      if (done.found === undefined && done.runs < runs && realNow() - startedAt < forMs) turn()
      else end(done)
    })
  }
  // Not within a promise callback: those of a simulation run inside of its steps.
  setImmediate(turn)
}

function inThread(task: Task): Promise<Done> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    thread.on('message', resolve)
    thread.on('error', reject)
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const firstSeed = Number(values.seed)
  const forMs = Number(values.seconds ?? Number.POSITIVE_INFINITY) * 1000
  const runs = Number(values.runs ?? (values.seconds === undefined ? 1 : Number.POSITIVE_INFINITY))
  const startedAt = realNow()
  const cpuBefore = process.cpuUsage().user
  const log = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined
  const threads = runs === 1 || log !== undefined ? 1 : availableParallelism()
  const parts =
    threads === 1
      ? [await new Promise<Done>((resolve) => runAll({ firstSeed, stride: 1, runs, forMs }, log, resolve))]
      : await Promise.all(
          Array.from({ length: threads }, (_, i) =>
            inThread({
              firstSeed: firstSeed + i,
              stride: threads,
              runs: Math.ceil((runs - i) / threads),
              forMs,
            }),
          ),
        )
  const inputs = parts.reduce((sum, part) => sum + part.inputs, 0)
  const seconds = (realNow() - startedAt) / 1000
  // The machine may do other things: the time of this process says what the simulator itself takes.
  const cpuSeconds = (process.cpuUsage().user - cpuBefore) / 1e6
  const [rate, cpuRate] = [seconds, cpuSeconds].map((each) => Math.round(inputs / each).toLocaleString('en'))
  const total = parts.reduce((sum, part) => sum + part.runs, 0)
  console.log(
    `simulate: ${total} runs from seed ${firstSeed}, ${inputs.toLocaleString('en')} scheduler inputs in ${seconds.toFixed(1)} s: ` +
      `${rate} per second in ${threads} threads, ${cpuRate} per second of CPU time`,
  )
  const found = parts.flatMap((part) => part.found ?? []).sort((a, b) => a.seed - b.seed)
  for (const { seed, violation } of found.slice(0, 1)) {
    console.log(
      `simulate: seed ${seed}: ${violation}\nrepeat it with: npm run simulate -- --seed ${seed} --trace`,
    )
    process.exitCode = 1
  }
}

await realTurn()
if (isMainThread) await main()
else runAll(workerData as Task, undefined, (done) => parentPort!.postMessage(done))
