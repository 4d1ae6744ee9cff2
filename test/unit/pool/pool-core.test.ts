// The pool behind the library, on an executor that is not the one of worker processes: a pool uses nothing but the
// executor's interface.
import { describe, expect, test } from 'vitest'
import { JobError, PoolStateError, PoolTerminatedError } from '../../../src/errors/classes.js'
import { captureCallSite } from '../../../src/errors/stacks.js'
import type { ExecutionFault } from '../../../src/executor/executor.js'
import { failFast, lazy } from '../../../src/policy/policy.js'
import { type CallRequest, PoolCore } from '../../../src/pool/pool-core.js'
import { errorOf } from '../../helpers/errors.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { seqsOf } from '../policy/ranges.js'
import { InProcessExecutor } from '../run/in-process-executor.js'

const site = captureCallSite(setUp)

function setUp(task: (...args: never[]) => unknown, fault?: ExecutionFault['reason']) {
  const space = tempSpace()
  const executor = new InProcessExecutor(task, fault)
  const core = new PoolCore(space.write({ 'job.mjs': '' }), { processes: 3 }, () => executor)
  const open = (input: unknown[], rest: Partial<CallRequest> = {}) =>
    core.open({
      owner: core,
      task: 'double',
      calling: 'item',
      input,
      policy: failFast,
      ordered: true,
      streams: false,
      options: {},
      site,
      ...rest,
    })
  return { core, executor, open }
}

describe('a pool on another executor', () => {
  test('starts its workers, runs calls and closes', async () => {
    const { core, executor, open } = setUp((n: number) => n * 2)
    const { flow } = open([1, 2, 3])
    const values: unknown[] = []
    for (let settled = await flow.next(); settled !== undefined; settled = await flow.next())
      if (settled.results.kind === 'values') values.push(...settled.results.values)
    expect(values).toEqual([2, 4, 6])
    core.close()
    await core.join(site)
    expect(executor.calls).toEqual(['start 3', 'execute', 'close'])
  })

  test('stops a call at its first failure and goes on with the next call', async () => {
    const { open } = setUp((n: number) => {
      if (n === 0) throw new Error('zero')
      return n
    })
    const first = open([0]).flow
    expect(await first.next()).toBeUndefined()
    expect(first.stopped?.failure.failure).toMatchObject({ kind: 'error', error: { message: 'zero' } })
    expect(seqsOf((await open([1], { policy: lazy }).flow.next())!)).toEqual([0])
  })

  test('throws a fault that the executor has for a call from the start', () => {
    const { open } = setUp(() => {}, { type: 'terminated' })
    expect(() => open([1])).toThrow(PoolTerminatedError)
  })

  test('does not throw for a task that the job does not have: the call rejects', async () => {
    const { core, open } = setUp(() => {}, { type: 'no-task', exports: {} })
    const thrown = await errorOf(open([1]).flow.next())
    expect(core.errorOf(thrown, site)).toBeInstanceOf(JobError)
  })

  test('turns the fault of a terminated executor into the error that callers see', async () => {
    const { core, open } = setUp((n: number) => n)
    const { flow } = open([1, 2, 3, 4, 5, 6])
    await core.terminate()
    const thrown = await flow.next().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(core.errorOf(thrown, site)).toBeInstanceOf(PoolTerminatedError)
    expect(() => open([1])).toThrow(PoolStateError)
  })
})
