// What the constructor refuses, before it starts anything.
import { describe, expect, test } from 'vitest'
import { Pool } from '../../../src/pool/pool.js'
import { thrownBy } from '../../helpers/errors.js'

describe('new Pool', () => {
  test.for([
    [0, RangeError],
    [-1, RangeError],
    [1.5, TypeError],
    [Number.NaN, TypeError],
    [Number.POSITIVE_INFINITY, TypeError],
    ['2', TypeError],
    [true, TypeError],
    [null, TypeError],
  ] as const)('throws for processes: %s', ([processes, Kind]) => {
    const error = thrownBy(() => new Pool('job.ts', { processes: processes as number }))
    expect(error).toBeInstanceOf(Kind)
    expect(error.message).toContain('processes must be')
  })

  test.for([
    [0, RangeError],
    [-1, RangeError],
    [0.5, TypeError],
    ['12', TypeError],
  ] as const)('throws for maxTasksPerChild: %s', ([maxTasksPerChild, Kind]) => {
    expect(
      thrownBy(() => new Pool('job.ts', { maxTasksPerChild: maxTasksPerChild as number })),
    ).toBeInstanceOf(Kind)
  })

  test.for([null, 'fast', { process: 2 }])('throws for the options %o', (options) => {
    expect(thrownBy(() => new Pool('job.ts', options as never))).toBeInstanceOf(TypeError)
  })

  test.for([undefined, null, 5, '', () => {}])('throws for the job %s', (job) => {
    expect(thrownBy(() => new Pool(job as never))).toBeInstanceOf(TypeError)
  })
})
