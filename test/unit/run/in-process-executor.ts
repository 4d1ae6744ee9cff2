// An executor without processes, workers or a job: runs the items of a call one after the other in this process, through
// a plain function. A second implementation of the interface, as a queue or a remote service would be one.
import { toErrorData } from '../../../src/errors/capture/to-error-data.js'
import { type Execution, ExecutionFault, type Executor } from '../../../src/executor/executor.js'
import { readItems } from '../../../src/framing/parse.js'
import type { Chunk, ItemFailure, Results, SettledRange, WorkerActivity } from '../../../src/model.js'

type Task = (...args: never[]) => unknown

const TERMINATED: ExecutionFault['reason'] = { type: 'terminated' }

export class InProcessExecutor implements Executor {
  /** Methods that were called, in order, but for those that only look. */
  readonly calls: string[] = []
  readonly running = 0
  readonly pausedForMs = undefined
  readonly #task: Task
  readonly #fault: ExecutionFault['reason'] | undefined
  #ended = false

  /** With `fault`, every execution ends with it. */
  constructor(task: Task, fault?: ExecutionFault['reason']) {
    this.#task = task
    this.#fault = fault
  }

  async execute(execution: Execution): Promise<void> {
    this.calls.push('execute')
    const { source, signal, drain, chunkSize = 2 } = execution
    this.#throwFault(execution)
    while (!(signal?.aborted || drain?.aborted)) {
      const chunk = await source.next({ items: chunkSize, bytes: 1 << 20 })
      this.#throwFault(execution)
      if (chunk === undefined) return
      const settled = await this.#run(chunk, execution)
      if (!signal?.aborted) execution.onSettled(settled)
    }
  }

  start(count: number): void {
    this.calls.push(`start ${count}`)
  }

  activity(): readonly WorkerActivity[] {
    return [{ workerId: 0, pid: process.pid, state: 'busy', others: 0 }]
  }

  suspend(): void {
    this.calls.push('suspend')
  }

  resume(): void {
    this.calls.push('resume')
  }

  readOutput() {}
  close = () => this.#end('close')
  terminate = () => this.#end('terminate')
  kill = () => this.#end('kill')

  async #end(how: string): Promise<void> {
    this.calls.push(how)
    this.#ended = true
  }

  #throwFault({ task, onFault }: Execution): void {
    const reason = this.#fault ?? (this.#ended ? TERMINATED : undefined)
    if (reason === undefined) return
    const fault = new ExecutionFault(reason, task.name)
    onFault?.(fault)
    throw fault
  }

  async #run(chunk: Chunk, { task }: Execution): Promise<SettledRange> {
    const values: unknown[] = []
    const failures: ItemFailure[] = []
    const where = { workerId: 0, pid: process.pid, attempts: 1 }
    for (const [offset, item] of itemsOf(chunk).entries()) {
      try {
        const args = task.calling === 'spread' ? (item as unknown[]) : [item]
        values[offset] = await this.#task(...(args as never[]))
      } catch (error) {
        const failure = { kind: 'error', error: toErrorData(error) } as const
        failures.push({ offset, failure, ...where })
      }
    }
    const results = task.reply === 'json' ? asLines(values, failures) : ({ kind: 'values', values } as const)
    return { chunk, from: 0, count: chunk.count, results, failures, ...where }
  }
}

function itemsOf({ payload, count }: Chunk): readonly unknown[] {
  if (payload.kind === 'values') return payload.values
  const items = readItems(payload)
  return Array.from({ length: count }, () => items.next())
}

function asLines(values: readonly unknown[], failures: readonly ItemFailure[]): Results {
  const failed = new Set(failures.map(({ offset }) => offset))
  const lines = values.flatMap((value, offset) => (failed.has(offset) ? [] : `${JSON.stringify(value)}\n`))
  return { kind: 'json', bytes: Buffer.from(lines.join('')) }
}
