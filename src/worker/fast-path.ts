// The loop for items that cost less than recording them would: next to nothing besides reading a value, calling the task
// and adding its result. A loop of its own, and small, so that V8 compiles it soon: that decides how fast a short run is.
//
// Rule: for each item it has the effects of the normal path (`Runner.#advance`), in the same order. It may leave out only
// what has no effect where it is used:
//   · nothing is validated, no output is marked, and the job does not decide about retries (`allowsFastPath`);
//   · calling the task is setting `running.context` and calling it, because one item runs at a time (`allowsFastPath`);
//   · starting an unrecorded item writes nothing, so all items of the loop start with one `startItem`; those with a time limit
//     are watched (`watchItem`), as in the normal path;
//   · leaving the task between two items is not visible: no code of the job runs there;
//   · only every 8th item is timed, as in the normal path, unless the call wants all timings, and only a timed item can
//     make a flush due early.
// Everything else ends the loop and takes the normal path: a bad item, a failure, a promise, a result that JSON does not
// carry as it is, much text, and an item that was slow.
import { BadItem } from '../framing/parse.js'
import type { ChunkRun } from './chunk-run.js'
import type { EventLoop } from './event-loop.js'
import { isGenerator, readGenerator } from './generator.js'
import { isThenable } from './outcome.js'
import { asArguments, Context, leaveTask, running } from './task-context.js'

/** For the whole life of a runner. Beyond that, a chunk must allow it (`ChunkRun.trySkipRecording`). */
export function allowsFastPath(options: {
  readonly concurrency: number
  readonly validate?: unknown
  readonly onStartItem?: unknown
  readonly shouldRetry?: unknown
}): boolean {
  const { concurrency, validate, onStartItem, shouldRetry } = options
  return concurrency === 1 && (validate ?? onStartItem ?? shouldRetry) === undefined
}

/** Runs items of the chunk until one needs the normal path. Returns what has to be awaited to settle the last one. */
export function runUnrecordedItems(
  run: ChunkRun,
  workerId: number,
  eventLoop: EventLoop,
): PromiseLike<unknown> | undefined {
  const { chunk, count, task } = run
  const { index, attempt } = chunk
  const spread = chunk.task.calling === 'spread'
  // Never refused: no time limit was exceeded, and `trySkipRecording` has seen that items may start.
  run.startItem()
  for (let offset = run.offset; offset < count; offset = run.offset) {
    const item = run.nextItem()
    if (item instanceof BadItem) {
      run.refuse(item)
      break
    }
    const context = new Context(
      typeof index === 'number' ? index + offset : index[offset]!,
      attempt,
      workerId,
    )
    running.context = context
    run.watchItem()
    const isTimed = run.isItemTimed
    if (isTimed) run.startTiming()
    let succeeded = true
    let outcome: unknown
    try {
      outcome = spread ? task(...asArguments(item)) : task(item, context)
      if (isGenerator(outcome)) outcome = readGenerator(outcome, chunk.task, context, eventLoop)
      if (isThenable(outcome)) {
        run.context = context
        return outcome
      }
    } catch (thrown) {
      succeeded = false
      outcome = thrown
    }
    const tookMs = isTimed ? run.endTiming() : 0
    if (!succeeded || !run.tryAddPlainResult(outcome, tookMs)) {
      run.settle(succeeded, outcome, tookMs)
      break
    }
    if (isTimed && (run.timesEachItem || run.isFlushDue)) break
  }
  run.undoStart()
  leaveTask()
  return undefined
}
