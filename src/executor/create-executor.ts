// Chooses the executor of a run or a pool: worker processes on this machine, started by `fork`; without processes, a
// single worker inside this one.
import { PoolBrokenError } from '../errors/classes.js'
import { processors } from '../processors.js'
import { createForkTransport } from '../transport/fork.js'
import { createInProcessTransport } from '../transport/in-process.js'
import { chooseMemoryProbe, type MemoryProbe } from '../transport/memory-probe.js'
import { reaper } from '../transport/reaper.js'
import { workerEntry } from '../transport/worker-entry.js'
import type { Executor, ExecutorOptions } from './executor.js'
import { LocalExecutor } from './local-executor.js'
import { traceCommands } from './trace.js'

/** @throws PoolBrokenError */
function memoryProbe({ emit }: Pick<ExecutorOptions, 'emit'>): MemoryProbe | undefined {
  const probe = chooseMemoryProbe()
  if (probe !== undefined) return probe
  try {
    // Workers measure themselves like this.
    process.memoryUsage.rss()
  } catch (cause) {
    const text = 'the memory of workers cannot be limited here: neither /proc nor ps shows how much they use'
    throw new PoolBrokenError(text, { cause })
  }
  const text =
    'neither /proc nor ps shows the memory of workers: its limit is checked between items, and does not end an item that runs'
  emit({ type: 'warning', warning: { kind: 'text', text } })
  return undefined
}

export function createExecutor({ env, execArgv, trace, ...options }: ExecutorOptions): Executor {
  if (options.processes === 0) {
    const text =
      '--processes 0 runs items one by one in this process, for a debugger: nothing is isolated, killed or limited in memory'
    options.emit({ type: 'warning', warning: { kind: 'text', text } })
    return new LocalExecutor({
      ...options,
      processes: 1,
      sharesModules: true,
      transport: createInProcessTransport(env),
      trace: trace && traceCommands(trace),
    })
  }
  reaper.onMissing(() => {
    const text = `neither a shell nor Node can be started to watch poolrun: if it is killed, workers in a busy loop go on`
    options.emit({ type: 'warning', warning: { kind: 'text', text } })
  })
  // Reports that show output by item need all of an item's lines before its result.
  const outputFirst = options.markOutput
  return new LocalExecutor({
    ...options,
    heartbeat: true,
    promptWorkers: processors().count,
    memoryProbe: options.maxMemoryBytes === undefined ? undefined : memoryProbe(options),
    transport: createForkTransport({ entry: workerEntry(), env, execArgv, outputFirst }),
    trace: trace && traceCommands(trace),
  })
}
