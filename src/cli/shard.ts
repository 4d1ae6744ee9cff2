// `--shard`: `2/4` as it is, or what a CI system or a cluster says about itself in the environment of each of its jobs.
import { UsageError } from '../errors/classes.js'
import type { Shard } from '../plan.js'

/** `count` of `auto` is for systems that do not say it. */
export type ShardChoice = Shard | { readonly auto: true; readonly count?: number }

interface System {
  readonly name: string
  readonly index: string
  /** Of the first job. */
  readonly base: 0 | 1
  /** Without one, the system does not say it: `auto/n`. */
  readonly count?: string
  /** The variables are this system's only where this one is set, too. */
  readonly mark?: string
}

const SYSTEMS: readonly System[] = [
  { name: 'GitLab', index: 'CI_NODE_INDEX', base: 1, count: 'CI_NODE_TOTAL', mark: 'GITLAB_CI' },
  { name: 'CircleCI', index: 'CIRCLE_NODE_INDEX', base: 0, count: 'CIRCLE_NODE_TOTAL' },
  { name: 'Buildkite', index: 'BUILDKITE_PARALLEL_JOB', base: 0, count: 'BUILDKITE_PARALLEL_JOB_COUNT' },
  { name: 'Bitbucket', index: 'BITBUCKET_PARALLEL_STEP', base: 0, count: 'BITBUCKET_PARALLEL_STEP_COUNT' },
  { name: 'Azure Pipelines', index: 'SYSTEM_JOBPOSITIONINPHASE', base: 1, count: 'SYSTEM_TOTALJOBSINPHASE' },
  { name: 'Semaphore', index: 'SEMAPHORE_JOB_INDEX', base: 1, count: 'SEMAPHORE_JOB_COUNT' },
  { name: 'AWS Batch', index: 'AWS_BATCH_JOB_ARRAY_INDEX', base: 0, count: 'AWS_BATCH_JOB_ARRAY_SIZE' },
  { name: 'Cloud Run', index: 'CLOUD_RUN_TASK_INDEX', base: 0, count: 'CLOUD_RUN_TASK_COUNT' },
  { name: 'Kubernetes', index: 'JOB_COMPLETION_INDEX', base: 0 },
]

type Env = Readonly<Record<string, string | undefined>>

interface Found extends Shard {
  readonly system: string
}

/** Never all items where it cannot tell: each job of a matrix would run all of them, and all would be green. @throws UsageError */
export function chooseShard(choice: ShardChoice, env: Env): Shard {
  if (!('auto' in choice)) return choice
  const found = [
    ...SYSTEMS.flatMap((system) => read(system, choice.count, env) ?? []),
    ...slurm(choice.count, env),
  ]
  const [first] = found
  if (first === undefined) throw new UsageError(`--shard auto cannot tell which shard this is: ${hint(env)}`)
  const other = found.find(({ index, count }) => index !== first.index || count !== first.count)
  if (other !== undefined)
    throw new UsageError(
      `--shard auto cannot tell which shard this is: ${first.system} says ${first.index}/${first.count}, ${other.system} says ${other.index}/${other.count}; pass it as --shard m/n`,
    )
  return first
}

function read(
  { name, index, base, count, mark }: System,
  given: number | undefined,
  env: Env,
): Found | undefined {
  if (mark !== undefined && isEmpty(env[mark])) return undefined
  const total = count === undefined || isEmpty(env[count]) ? given : integerOf(env, count, name)
  if (isEmpty(env[index])) {
    // GitLab has no index where a job is not parallel.
    return mark !== undefined && total === 1 ? { index: 1, count: 1, system: name } : undefined
  }
  const position = integerOf(env, index, name) - base + 1
  if (total === undefined)
    throw new UsageError(
      `--shard auto: ${name} does not say how many shards there are; pass it as --shard auto/n`,
    )
  return checked({ index: position, count: total, system: name }, given, index)
}

/** The ids of an array may begin anywhere and have gaps: only without gaps is it clear which one this is. */
function slurm(given: number | undefined, env: Env): Found[] {
  const [id, first, last, count] = ['ID', 'MIN', 'MAX', 'COUNT'].map(
    (name) => `SLURM_ARRAY_TASK_${name}`,
  ) as [string, string, string, string]
  if (isEmpty(env[id])) return []
  const system = 'Slurm'
  const min = integerOf(env, first, system)
  const total = integerOf(env, count, system)
  if (integerOf(env, last, system) - min + 1 !== total)
    throw new UsageError(
      `--shard auto: the Slurm array is not contiguous (${total} tasks from ${min} to ${env[last]}); use --array=1-${total}`,
    )
  return [checked({ index: integerOf(env, id, system) - min + 1, count: total, system }, given, id)]
}

function checked(found: Found, given: number | undefined, variable: string): Found {
  const { index, count, system } = found
  if (given !== undefined && given !== count)
    throw new UsageError(`--shard auto/${given}: ${system} says that there are ${count} shards`)
  if (count < 1 || index < 1 || index > count)
    throw new UsageError(`--shard auto: ${variable} of ${system} does not fit ${count} shards`)
  return found
}

function integerOf(env: Env, name: string, system: string): number {
  const text = env[name] ?? ''
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`--shard auto: ${name} of ${system} is '${text}', and not a number`)
  return Number(text)
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text === ''
}

function hint(env: Env): string {
  if (env.GITHUB_ACTIONS === 'true')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub
    return 'GitHub has no variable for it; pass --shard ${{ matrix.shard }}/${{ strategy.job-total }}'
  return 'there is no variable of a CI system or cluster; pass it as --shard m/n'
}
