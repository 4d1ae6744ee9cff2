// How many processors this process may use: those that the system offers it, limited by the CPU quota of its container.
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'

export interface Processors {
  /** At least 1. */
  readonly count: number
  /** By affinity. */
  readonly available: number
  /** The lowest quota on the way from the control group of this process to the root. */
  readonly quota: { readonly cpus: number; readonly file: string } | undefined
}

/** The text of a file; `undefined` if it cannot be read. */
export type ReadText = (file: string) => string | undefined

let found: Processors | undefined

/** Measured once. */
export function processors(): Processors {
  found ??= findProcessors(readText, availableParallelism())
  return found
}

export function findProcessors(read: ReadText, available: number): Processors {
  let quota: Processors['quota']
  for (const { folder, top } of controlGroups(read))
    for (const file of quotaFiles(folder, top)) {
      const cpus = quotaIn(file, read)
      if (cpus !== undefined && (quota === undefined || cpus < quota.cpus)) quota = { cpus, file }
    }
  const limit = quota === undefined ? available : Math.ceil(quota.cpus)
  return { count: Math.max(1, Math.min(available, limit)), available, quota }
}

/** By the quota. */
export function isLimited({ count, available }: Processors): boolean {
  return count < available
}

export function describeProcessors({ count, available, quota }: Processors): string {
  const offered = `${available} available`
  if (quota === undefined) return `processors: ${count} (${offered}, no CPU quota)`
  const cpus = Number(quota.cpus.toFixed(2))
  return `processors: ${count} (${offered}, CPU quota ${cpus} in ${quota.file})`
}

interface ControlGroup {
  /** Of this process. */
  readonly folder: string
  /** Where the hierarchy is mounted. */
  readonly top: string
}

/** Version 1 has a hierarchy per controller, version 2 one for all. Where both are in use, each limits. */
function controlGroups(read: ReadText): ControlGroup[] {
  const own = new Map<'cgroup' | 'cgroup2', string>()
  for (const line of linesOf(read('/proc/self/cgroup'))) {
    const [, id, controllers, group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    if (group === undefined) continue
    if (id === '0' && controllers === '') own.set('cgroup2', group)
    else if (controllers!.split(',').includes('cpu')) own.set('cgroup', group)
  }
  return linesOf(read('/proc/self/mountinfo')).flatMap((line) => {
    // `36 35 98:0 /root /mount/point options … - type source options`
    const [mount, filesystem] = line.split(' - ')
    const [, , , root, top] = (mount ?? '').split(' ').map(unescapePath)
    const [type, , options] = (filesystem ?? '').split(' ')
    if (root === undefined || top === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return []
    if (type === 'cgroup' && !(options ?? '').split(',').includes('cpu')) return []
    const group = own.get(type)
    return group === undefined ? [] : [{ folder: path.posix.join(top, below(root, group)), top }]
  })
}

/**
 * The group as seen from the mount. In a container, the mount may show less than the whole hierarchy (`root`), and the
 * group may be named as the host names it: what the mount shows is then the container's own group.
 */
function below(root: string, group: string): string {
  if (root === '/') return group.startsWith('/..') ? '/' : group
  return group === root || group.startsWith(`${root}/`) ? group.slice(root.length) : '/'
}

function quotaFiles(folder: string, top: string): string[] {
  const files: string[] = []
  for (let at = folder; at.startsWith(top); at = path.posix.dirname(at)) {
    files.push(path.posix.join(at, 'cpu.max'), path.posix.join(at, 'cpu.cfs_quota_us'))
    if (at === top || at === '/') break
  }
  return files
}

/** In processors; `undefined` if the file sets none. */
function quotaIn(file: string, read: ReadText): number | undefined {
  const text = read(file)
  if (text === undefined) return undefined
  const isVersion2 = file.endsWith('cpu.max')
  // `50000 100000`, or `max 100000`. In version 1 the period is a file of its own, and -1 stands for no quota.
  const [quota, period] = isVersion2
    ? text.trim().split(/\s+/)
    : [text, read(file.replace(/quota_us$/, 'period_us'))]
  const cpus = Number(quota) / Number(period)
  return Number.isFinite(cpus) && cpus > 0 ? cpus : undefined
}

const linesOf = (text: string | undefined): string[] => text?.split('\n') ?? []

/** Spaces and the like are octal in mountinfo. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
