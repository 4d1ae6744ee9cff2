// Which shard a run is, from what CI systems and clusters put into the environment.
import { describe, expect, test } from 'vitest'
import { chooseShard } from '../../../src/cli/shard.js'

const auto = { auto: true } as const
const choose = (env: Record<string, string>, choice: Parameters<typeof chooseShard>[0] = auto) =>
  chooseShard(choice, env)

test('m/n is that shard whatever the environment says', () => {
  expect(choose({ CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '9' }, { index: 2, count: 4 })).toEqual({
    index: 2,
    count: 4,
  })
})

describe('--shard auto', () => {
  test.each<[string, Record<string, string>]>([
    ['GitLab', { GITLAB_CI: 'true', CI_NODE_INDEX: '3', CI_NODE_TOTAL: '8' }],
    ['CircleCI', { CIRCLE_NODE_INDEX: '2', CIRCLE_NODE_TOTAL: '8' }],
    ['Buildkite', { BUILDKITE_PARALLEL_JOB: '2', BUILDKITE_PARALLEL_JOB_COUNT: '8' }],
    ['Bitbucket', { BITBUCKET_PARALLEL_STEP: '2', BITBUCKET_PARALLEL_STEP_COUNT: '8' }],
    ['Azure Pipelines', { SYSTEM_JOBPOSITIONINPHASE: '3', SYSTEM_TOTALJOBSINPHASE: '8' }],
    ['Semaphore', { SEMAPHORE_JOB_INDEX: '3', SEMAPHORE_JOB_COUNT: '8' }],
    ['AWS Batch', { AWS_BATCH_JOB_ARRAY_INDEX: '2', AWS_BATCH_JOB_ARRAY_SIZE: '8' }],
    ['Cloud Run', { CLOUD_RUN_TASK_INDEX: '2', CLOUD_RUN_TASK_COUNT: '8' }],
    [
      'Slurm',
      {
        SLURM_ARRAY_TASK_ID: '12',
        SLURM_ARRAY_TASK_MIN: '10',
        SLURM_ARRAY_TASK_MAX: '17',
        SLURM_ARRAY_TASK_COUNT: '8',
      },
    ],
  ])('reads %s', (system, env) => {
    expect(choose(env)).toEqual({ index: 3, count: 8, system })
  })

  test('auto/n reads Kubernetes, which does not say how many there are', () => {
    expect(choose({ JOB_COMPLETION_INDEX: '0' }, { auto: true, count: 5 })).toEqual({
      index: 1,
      count: 5,
      system: 'Kubernetes',
    })
    expect(() => choose({ JOB_COMPLETION_INDEX: '0' })).toThrow('auto/n')
  })

  test('is the whole where GitLab runs one job', () => {
    expect(choose({ GITLAB_CI: 'true', CI_NODE_TOTAL: '1' })).toMatchObject({ index: 1, count: 1 })
  })

  test.each<[string, Record<string, string>, string]>([
    ['there is nothing', {}, 'cannot tell'],
    ['it is GitHub', { GITHUB_ACTIONS: 'true' }, 'matrix.shard'],
    [
      'the variables of GitLab are those of another system',
      { CI_NODE_INDEX: '1', CI_NODE_TOTAL: '2' },
      'cannot tell',
    ],
    ['the variables are empty', { CIRCLE_NODE_INDEX: '', CIRCLE_NODE_TOTAL: '' }, 'cannot tell'],
    [
      'the number is none',
      { CIRCLE_NODE_INDEX: 'x', CIRCLE_NODE_TOTAL: '2' },
      "CIRCLE_NODE_INDEX of CircleCI is 'x'",
    ],
    ['the number is too large', { CIRCLE_NODE_INDEX: '2', CIRCLE_NODE_TOTAL: '2' }, 'does not fit 2 shards'],
    [
      'one that counts from 1 is 0',
      { GITLAB_CI: 'true', CI_NODE_INDEX: '0', CI_NODE_TOTAL: '2' },
      'does not fit',
    ],
    [
      'an array of Slurm has gaps',
      {
        SLURM_ARRAY_TASK_ID: '4',
        SLURM_ARRAY_TASK_MIN: '2',
        SLURM_ARRAY_TASK_MAX: '6',
        SLURM_ARRAY_TASK_COUNT: '3',
      },
      'not contiguous',
    ],
    [
      'two systems differ',
      {
        CIRCLE_NODE_INDEX: '0',
        CIRCLE_NODE_TOTAL: '2',
        CLOUD_RUN_TASK_INDEX: '1',
        CLOUD_RUN_TASK_COUNT: '2',
      },
      'CircleCI says 1/2, Cloud Run says 2/2',
    ],
  ])('is refused where %s', (_, env, message) => {
    expect(() => choose(env)).toThrow(message)
  })

  test('is refused where another count is given', () => {
    const env = { CIRCLE_NODE_INDEX: '1', CIRCLE_NODE_TOTAL: '4' }
    expect(() => choose(env, { auto: true, count: 5 })).toThrow('there are 4 shards')
    expect(choose(env, { auto: true, count: 4 })).toMatchObject({ index: 2, count: 4 })
  })
})
