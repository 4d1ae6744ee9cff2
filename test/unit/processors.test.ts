import { describe, expect, it, test } from 'vitest'
import { describeProcessors, findProcessors } from '../../src/processors.js'

const V2_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n'
const V1_MOUNT = '33 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n'
const V1_OTHERS =
  '25 23 0:23 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n40 25 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n'

/** A system with these files and 64 processors. */
function find(files: Readonly<Record<string, string>>) {
  const { count, quota } = findProcessors((file) => files[file], 64)
  return { count, file: quota?.file }
}

const v2 = (group: string, files: Readonly<Record<string, string>>, mount = V2_MOUNT) =>
  find({ '/proc/self/cgroup': `0::${group}\n`, '/proc/self/mountinfo': mount, ...files })

const v1 = (group: string, files: Readonly<Record<string, string>>, mount = V1_MOUNT) =>
  find({
    '/proc/self/cgroup': `12:cpuset:/other\n4:cpu,cpuacct:${group}\n1:name=systemd:${group}\n`,
    '/proc/self/mountinfo': V1_OTHERS + mount,
    ...files,
  })

const ROOT = '/sys/fs/cgroup'

describe('without a quota all available processors count', () => {
  test.each([
    ['no control groups', find({})],
    ['a group without a limit', v2('/a', { [`${ROOT}/a/cpu.max`]: 'max 100000\n' })],
    ['the root group, which has no such file', v2('/', {})],
    ['-1 in version 1', v1('/a', { [`${ROOT}/cpu,cpuacct/a/cpu.cfs_quota_us`]: '-1\n' })],
    ['nonsense', v2('/', { [`${ROOT}/cpu.max`]: 'never 0\n' })],
    ['zero', v2('/', { [`${ROOT}/cpu.max`]: '0 100000\n' })],
    ['a quota without a period', v1('/a', { [`${ROOT}/cpu,cpuacct/a/cpu.cfs_quota_us`]: '50000\n' })],
    ['a damaged mount table', find({ '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': 'x\n - \n' })],
  ])('%s', (_what, found) => {
    expect(found).toEqual({ count: 64, file: undefined })
  })
})

describe('a quota of version 2 limits', () => {
  test.each([
    ['50000 100000', 1],
    ['100000 100000', 1],
    ['150000 100000', 2],
    ['200000 100000\n', 2],
    ['1000 100000', 1],
    ['6400000 100000', 64],
    ['99900000 100000', 64],
    ['25000 10000', 3],
  ])('%s to %i', (text, count) => {
    expect(v2('/', { [`${ROOT}/cpu.max`]: text }).count).toBe(count)
  })

  it('by the lowest one of all groups around this process', () => {
    const files = {
      [`${ROOT}/a.slice/cpu.max`]: '800000 100000',
      [`${ROOT}/a.slice/b/cpu.max`]: '300000 100000',
      [`${ROOT}/a.slice/b/c/cpu.max`]: 'max 100000',
      [`${ROOT}/other/cpu.max`]: '100000 100000',
    }
    expect(v2('/a.slice/b/c', files)).toEqual({ count: 3, file: `${ROOT}/a.slice/b/cpu.max` })
    expect(v2('/a.slice', files)).toEqual({ count: 8, file: `${ROOT}/a.slice/cpu.max` })
  })

  test.each([
    ['in a namespace of its own', '/', V2_MOUNT, `${ROOT}/cpu.max`],
    ['that has been moved out of its namespace', '/../sibling', V2_MOUNT, `${ROOT}/cpu.max`],
    [
      'whose mount shows only its own group, named as on the host',
      '/kubepods/pod1/c1',
      V2_MOUNT.replace(' / ', ' /kubepods/pod1/c1 '),
      `${ROOT}/cpu.max`,
    ],
    [
      'whose mount shows a group around it',
      '/kubepods/pod1/c1',
      V2_MOUNT.replace(' / ', ' /kubepods '),
      `${ROOT}/pod1/cpu.max`,
    ],
    [
      'whose mount shows another group',
      '/somewhere/else',
      V2_MOUNT.replace(' / ', ' /kubepods '),
      `${ROOT}/cpu.max`,
    ],
    [
      'mounted beside version 1',
      '/a',
      V1_OTHERS + V2_MOUNT.replace(ROOT, `${ROOT}/unified`),
      `${ROOT}/unified/a/cpu.max`,
    ],
    ['mounted at a path with a space', '/', V2_MOUNT.replace(ROOT, '/my\\040groups'), '/my groups/cpu.max'],
  ])('a container %s', (_what, group, mount, file) => {
    expect(v2(group, { [file]: '150000 100000' }, mount)).toEqual({ count: 2, file })
  })
})

describe('a quota of version 1 limits', () => {
  const cpu = `${ROOT}/cpu,cpuacct`
  const limit = (folder: string, quota: number) => ({
    [`${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
    [`${folder}/cpu.cfs_period_us`]: '100000\n',
  })

  it('in the group of this process and those around it', () => {
    const files = { ...limit(`${cpu}/a/b`, -1), ...limit(`${cpu}/a`, 250_000), ...limit(cpu, 900_000) }
    expect(v1('/a/b', files)).toEqual({ count: 3, file: `${cpu}/a/cpu.cfs_quota_us` })
  })

  it('where the container sees its own group as the root', () => {
    const mount = V1_MOUNT.replace(' / ', ' /docker/4f ')
    expect(v1('/docker/4f', limit(cpu, 50_000), mount)).toEqual({
      count: 1,
      file: `${cpu}/cpu.cfs_quota_us`,
    })
  })

  it('not by the files of another controller', () => {
    expect(v1('/a', limit(`${ROOT}/cpuset/a`, 100_000)).count).toBe(64)
  })
})

it('never counts fewer than one processor, nor more than are available', () => {
  const read = (files: Readonly<Record<string, string>>) => (file: string) => files[file]
  const files = { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': V2_MOUNT }
  expect(findProcessors(read({ ...files, [`${ROOT}/cpu.max`]: '1 100000' }), 2).count).toBe(1)
  expect(findProcessors(read({ ...files, [`${ROOT}/cpu.max`]: '900000 100000' }), 2).count).toBe(2)
})

test('the text says where the number comes from', () => {
  const file = '/sys/fs/cgroup/cpu.max'
  expect(describeProcessors({ count: 2, available: 64, quota: { cpus: 1.5, file } })).toBe(
    'processors: 2 (64 available, CPU quota 1.5 in /sys/fs/cgroup/cpu.max)',
  )
  expect(describeProcessors({ count: 4, available: 4, quota: undefined })).toBe(
    'processors: 4 (4 available, no CPU quota)',
  )
})
