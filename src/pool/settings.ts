// Defaults of a pool's options, and what they are called further down. Knows nothing of calls.
import { availableParallelism } from 'node:os'
import type { LocalOptions } from '../executor/local.js'
import { defaultRestartLimit } from '../executor/restart-limit.js'
import { createForkTransport } from '../transport/fork.js'
import { workerEntry } from '../transport/worker-entry.js'
import type { PoolOptions } from './types.js'

const INIT_TIMEOUT_MS = 60_000
const KILL_AFTER_MS = 2_000

export interface EngineOptions extends PoolOptions {
  readonly processes: number
}

export function withDefaults(options: PoolOptions): EngineOptions {
  return { ...options, processes: options.processes ?? availableParallelism() }
}

export function executorOptions(options: EngineOptions): Omit<LocalOptions, 'job' | 'emit'> {
  const { processes, env, execArgv } = options
  return {
    processes,
    concurrency: options.concurrency ?? 1,
    initTimeoutMs: options.initTimeout ?? INIT_TIMEOUT_MS,
    killAfterMs: options.killAfter ?? KILL_AFTER_MS,
    maxRestarts: options.maxWorkerRestarts ?? defaultRestartLimit(processes),
    maxTasksPerChild: options.maxTasksPerChild,
    maxMemoryBytes: options.maxMemory,
    transport: createForkTransport({ entry: workerEntry(), env, execArgv }),
    initializer: options.initializer,
    initArgs: options.initArgs ?? [],
    markOutput: false,
  }
}
