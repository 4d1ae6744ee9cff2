// `poolrun merge`: a run whose items have all settled. They come from the journals of its shards, through the same stages as in
// any other run.
import { InputError, UsageError } from '../errors/classes.js'
import type { Execution, Executor } from '../executor/executor.js'
import { JournalReader } from '../journal/reader.js'
import type { Settings } from '../journal/settings.js'
import { ShardEvents, shardOf } from '../journal/shard-events.js'
import { MergedShards, mismatch, type ShardJournal } from '../journal/shards.js'
import type { Chunk, SettledRange } from '../model.js'
import type { RunPlan } from '../plan.js'
import type { ChunkSource } from '../source.js'
import { openToRead, readWhole } from './journal-file.js'
import { fitting } from './resume.js'
import type { RunStages } from './run.js'
import type { MergedOptions } from './run-journal.js'
import { taskFor } from './settings.js'
import type { Workers } from './workers.js'

const WANT = { items: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export interface Merge {
  readonly plan: RunPlan
  readonly workers: Workers
  readonly stages: RunStages
}

/** `given`: the options of the command line; `--allow-failures` is that of the shards without `judges`. @throws InputError, OutputError */
export function openMerge(paths: readonly string[], given: RunPlan, judges: boolean): Merge {
  const warnings: string[] = []
  const journals = paths.map((path) => openShard(path, warnings))
  const wrong = mismatch(journals)
  if (wrong !== undefined) throw new InputError(`cannot merge: ${wrong}`)
  const plan = { ...planOf(journals[0]!, given, judges), merges: paths }
  const merged = new MergedShards(journals, taskFor(plan).timed ?? false)
  const ranges = new Map<number, readonly SettledRange[]>()
  return {
    plan,
    workers: { executor: new SettledExecutor(ranges), load() {}, listen() {} },
    stages: {
      compile: async () => ({ url: '', isCompiled: true }),
      async openInput(_plan, _cwd, warn) {
        for (const warning of warnings) warn(warning)
        return sourceOf(merged, ranges)
      },
    },
  }
}

function openShard(path: string, warnings: string[]): ShardJournal {
  const disk = openToRead(path)
  // The header is read by the time of the first item.
  let events: ShardEvents | undefined
  const reader: JournalReader = new JournalReader({
    onItem(cursor, at) {
      events ??= new ShardEvents(shardOf(reader.header).count)
      events.add(cursor, at, reader)
    },
  })
  try {
    readWhole(path, disk, reader)
  } catch (error) {
    // A shard that is none is a matter of the input here.
    throw error instanceof UsageError ? new InputError(`cannot merge: ${error.message}`) : error
  }
  if (reader.isTorn) warnings.push(`the last line of the journal ${path} is torn and does not count`)
  return { path, disk, reader, events: events ?? new ShardEvents(1) }
}

/** What was run is in the journal; what becomes of the results, on the command line. */
function planOf({ reader }: ShardJournal, given: RunPlan, judges: boolean): RunPlan {
  const settings = reader.header!.settings as Settings
  const { job, ordered, allowFailures } = reader.header!.options as MergedOptions
  return {
    ...given,
    command: settings['the command'] as RunPlan['command'],
    job: { path: job, exportName: settings['the task'] as string },
    ordered,
    allowFailures: judges ? given.allowFailures : allowFailures,
  }
}

function sourceOf(merged: MergedShards, ranges: Map<number, readonly SettledRange[]>): ChunkSource {
  return {
    next(): Chunk | undefined {
      const next = merged.next()
      if (next !== undefined) ranges.set(next.chunk.seq, next.ranges)
      return next?.chunk
    },
    close() {},
  }
}

/** Settles each chunk with what is known of it. */
class SettledExecutor implements Executor {
  readonly running = 0
  readonly pausedForMs = undefined
  /** By the sequence number of the chunk. */
  readonly #ranges: Map<number, readonly SettledRange[]>
  #hasEnded = false

  constructor(ranges: Map<number, readonly SettledRange[]>) {
    this.#ranges = ranges
  }

  async execute({ source, signal, drain, check, onSettled }: Execution): Promise<void> {
    const isOver = () => this.#hasEnded || signal?.aborted === true || drain?.aborted === true
    while (!isOver()) {
      const chunk = await source.next(WANT)
      if (chunk === undefined) return
      const ranges = this.#ranges.get(chunk.seq) ?? []
      this.#ranges.delete(chunk.seq)
      for (const range of ranges) if (!isOver()) onSettled(fitting(range, check))
    }
  }

  start() {}
  activity = () => []
  suspend() {}
  resume() {}
  readOutput() {}
  close = async () => {}
  terminate = async () => {
    this.#hasEnded = true
  }
  kill = () => this.terminate()
}
