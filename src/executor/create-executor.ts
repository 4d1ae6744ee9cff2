// Chooses the executor of a run or a pool: worker processes on this machine, started by `fork`.
import { createForkTransport } from '../transport/fork.js'
import { workerEntry } from '../transport/worker-entry.js'
import type { Executor, ExecutorOptions } from './executor.js'
import { LocalExecutor } from './local-executor.js'
import { traceCommands } from './trace.js'

export function createExecutor({ env, execArgv, trace, ...options }: ExecutorOptions): Executor {
  // Reports that show output by item need all of an item's lines before its result.
  const outputFirst = options.markOutput
  return new LocalExecutor({
    ...options,
    transport: createForkTransport({ entry: workerEntry(), env, execArgv, outputFirst }),
    trace: trace && traceCommands(trace),
  })
}
