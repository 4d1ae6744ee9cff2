// What a plan makes of its workers before the rest of the run is there.
import { expect, test } from 'vitest'
import type { ExecutorOptions } from '../../../src/executor/executor.js'
import type { RunEvent } from '../../../src/model.js'
import type { RunPlan } from '../../../src/plan.js'
import { startWorkers } from '../../../src/run/workers.js'
import { InProcessExecutor } from './in-process-executor.js'

function start(rest: Partial<RunPlan> = {}) {
  const plan = { command: 'map', input: { kind: 'stdin' }, processes: 4, ...rest } as RunPlan
  const executor = new InProcessExecutor(() => {})
  let options!: ExecutorOptions
  const workers = startWorkers(plan, (given) => {
    options = given
    return executor
  })
  return { workers, options, started: executor.calls }
}

test.each<[string, Partial<RunPlan>, number]>([
  ['one for each process', {}, 4],
  ['no more than there are items', { input: { kind: 'items', texts: ['1', '2'] } }, 2],
  ['one where there are no items', { input: { kind: 'items', texts: [] } }, 1],
  ['one for apply', { command: 'apply', input: { kind: 'items', texts: ['1', '2'] } }, 1],
  ['one for a dry run', { dryRun: true }, 1],
])('at first there is %s', (_what, plan, count) => {
  expect(start(plan).started).toEqual([`start ${count}`])
})

test.each<[Partial<RunPlan>, boolean]>([
  [{ tag: false, jobOutput: 'lines' }, false],
  [{ tag: true, jobOutput: 'lines' }, true],
  [{ tag: false, jobOutput: 'group' }, true],
  [{ tag: false, jobOutput: 'failed' }, true],
])('output is attributed to items where %j shows it by item: %s', (plan, marked) => {
  expect(start(plan).options.markOutput).toBe(marked)
})

test('events are kept until there is a listener, then passed on', () => {
  const { workers, options } = start()
  const event = (workerId: number): RunEvent => ({ type: 'worker-ready', workerId, pid: 1 })
  options.emit(event(0))
  const seen: RunEvent[] = []
  workers.listen((passed) => seen.push(passed))
  options.emit(event(1))
  expect(seen).toEqual([event(0), event(1)])
})

test('lines are traced only with --debug, the early ones too', () => {
  expect(start().options.trace).toBeUndefined()
  const { workers, options } = start({ debug: true })
  options.trace?.('early')
  const lines: string[] = []
  workers.listen(
    () => {},
    (line) => lines.push(line),
  )
  options.trace?.('late')
  expect(lines).toEqual(['early', 'late'])
})

test('the job is passed on when it is loaded', async () => {
  const { workers, options } = start()
  const job = { url: 'file:///job.mjs', isCompiled: true }
  workers.load(Promise.resolve(job))
  expect(await options.job).toBe(job)
})
