import { describe, expect, it } from 'vitest'
import { chooseMemoryProbe, type MemorySystem } from '../../../src/transport/memory-probe.js'

const OWN = process.pid

function noProc(): never {
  throw new Error('ENOENT')
}

function system(fakes: Partial<MemorySystem>): MemorySystem {
  return { readStatus: noProc, ps: () => {}, psSync: () => undefined, ...fakes }
}

function measure(fakes: Partial<MemorySystem>, pids: readonly number[]) {
  let measured: ReadonlyMap<number, number> | undefined
  chooseMemoryProbe(system(fakes))?.measure(pids, (bytes) => {
    measured = bytes
  })
  return measured && [...measured]
}

describe('the memory of processes is measured', () => {
  it('from /proc where it can be read', () => {
    const readStatus = (pid: number | 'self') =>
      pid === 7 ? noProc() : `Name:\tnode\nVmHWM:\t9 kB\nVmRSS:\t${pid} kB\n`
    expect(measure({ readStatus, psSync: noProc }, [5, 7, 6])).toEqual([
      [5, 5 * 1024],
      [6, 6 * 1024],
    ])
  })

  it.each([
    ['without /proc', noProc],
    ['where /proc shows no memory', () => 'Name:\tnode\n'],
  ])('by ps %s', (_what, readStatus) => {
    const calls: (readonly string[])[] = []
    const fakes: Partial<MemorySystem> = {
      readStatus,
      psSync: () => `${OWN} 100\n`,
      ps(args, onOutput) {
        calls.push(args)
        onOutput('    5   2048\n   61 10\n')
      },
    }
    expect(measure(fakes, [5, 61, 7])).toEqual([
      [5, 2048 * 1024],
      [61, 10 * 1024],
    ])
    expect(calls).toEqual([['-o', 'pid=,rss=', '-p', '5,61,7']])
  })

  it.each([
    ['does not exist', undefined],
    ['knows no such options', 'PID USER COMMAND\n1 root init\n'],
    ['shows other processes', '1 100\n'],
  ])('not at all where ps %s', (_what, output) => {
    expect(chooseMemoryProbe(system({ psSync: () => output }))).toBeUndefined()
  })

  it('not at all where /proc and ps show the processes of another namespace', () => {
    const readStatus = () => `Pid:\t${OWN + 1}\nVmRSS:\t5 kB\n`
    expect(chooseMemoryProbe(system({ readStatus, psSync: () => `${OWN} 100` }))).toBeUndefined()
  })
})

it('ps is not started again while it runs, and goes on after it failed', () => {
  let end: ((output: string | undefined) => void) | undefined
  let started = 0
  const probe = chooseMemoryProbe(
    system({
      psSync: () => `${OWN} 100`,
      ps(_args, onOutput) {
        started++
        end = onOutput
      },
    }),
  )!
  const seen: number[] = []
  const onMeasured = (bytes: ReadonlyMap<number, number>) => void seen.push(bytes.size)
  probe.measure([5], onMeasured)
  probe.measure([5], onMeasured)
  expect(started).toBe(1)
  end!(undefined)
  probe.measure([], onMeasured)
  expect(started).toBe(1)
  probe.measure([5], onMeasured)
  end!('5 1\n')
  expect({ started, seen }).toEqual({ started: 2, seen: [0, 1] })
})
