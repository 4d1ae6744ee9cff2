// Chooses the executor of a run or a pool: worker processes on this machine, started by `fork`; without processes, a
// single worker inside this one.
import { createForkTransport } from '../transport/fork.js'
import { createInProcessTransport } from '../transport/in-process.js'
import { workerEntry } from '../transport/worker-entry.js'
import type { Executor, ExecutorOptions } from './executor.js'
import { LocalExecutor } from './local-executor.js'
import { traceCommands } from './trace.js'

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
  // Reports that show output by item need all of an item's lines before its result.
  const outputFirst = options.markOutput
  return new LocalExecutor({
    ...options,
    heartbeat: true,
    transport: createForkTransport({ entry: workerEntry(), env, execArgv, outputFirst }),
    trace: trace && traceCommands(trace),
  })
}
