// The options of a pool as options of the executor, with their defaults.
import { deserialize, serialize } from 'node:v8'
import {
  CONCURRENCY,
  INIT_TIMEOUT_MS,
  KILL_AFTER_MS,
  maxWorkerRestarts,
  RETRIES,
  RETRY_DELAY_MS,
  RETRY_ON,
} from '../defaults.js'
import type { ExecutorOptions } from '../executor/executor.js'
import type { RetryOptions } from '../plan.js'
import { processors } from '../processors.js'
import type { ApplyOptions, PoolOptions } from './types.js'

export interface PoolCoreOptions extends PoolOptions {
  readonly processes: number
}

export function withProcesses(options: PoolOptions): PoolCoreOptions {
  return { ...options, processes: options.processes ?? processors().count }
}

export function executorOptions(options: PoolCoreOptions): Omit<ExecutorOptions, 'job' | 'emit'> {
  const { processes, env, execArgv } = options
  return {
    processes,
    concurrency: options.concurrency ?? CONCURRENCY,
    initTimeoutMs: options.initTimeout ?? INIT_TIMEOUT_MS,
    killAfterMs: options.killAfter ?? KILL_AFTER_MS,
    maxRestarts: options.maxWorkerRestarts ?? maxWorkerRestarts(processes),
    maxTasksPerChild: options.maxTasksPerChild,
    maxMemoryBytes: options.maxMemory,
    env,
    execArgv,
    initializer: options.initializer,
    // A copy: what the caller changes later has not been checked, and every worker must receive the same.
    initArgs: deserialize(serialize(options.initArgs ?? [])),
    markOutput: false,
  }
}

/** Of one call: its own options, then those of its pool, then the defaults. */
export function retryOptions(call: ApplyOptions, pool: PoolOptions): RetryOptions {
  return {
    retries: call.retries ?? pool.retries ?? RETRIES,
    delayMs: call.retryDelay ?? pool.retryDelay ?? RETRY_DELAY_MS,
    on: call.retryOn ?? pool.retryOn ?? RETRY_ON,
  }
}
