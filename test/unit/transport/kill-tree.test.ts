import { describe, expect, it } from 'vitest'
import { killGroupOf, killTree, type ProcessSystem } from '../../../src/transport/kill-tree.js'

function system(platform: NodeJS.Platform, fails = false) {
  const done: string[] = []
  const fake: ProcessSystem = {
    platform,
    kill(pid, signal) {
      if (fails) throw new Error('ESRCH')
      done.push(`kill ${pid} ${signal}`)
    },
    run: (command, args) => void done.push([command, ...args].join(' ')),
  }
  return { fake, done }
}

describe('killTree', () => {
  it.each([
    ['linux', 'SIGKILL', ['kill -12 SIGKILL']],
    ['darwin', 'SIGTERM', ['kill -12 SIGTERM']],
    ['linux', 'SIGSTOP', ['kill -12 SIGSTOP']],
    ['win32', 'SIGKILL', ['taskkill /T /F /PID 12']],
    ['win32', 'SIGTERM', ['taskkill /T /F /PID 12']],
    ['win32', 'SIGSTOP', []],
    ['win32', 'SIGCONT', []],
  ] as const)('on %s sends %s as %j', (platform, signal, expected) => {
    const { fake, done } = system(platform)
    killTree(12, signal, fake)
    expect(done).toEqual(expected)
  })

  it.each(['linux', 'win32'] as const)('on %s leaves alone a process that never started', (platform) => {
    const { fake, done } = system(platform)
    killTree(0, 'SIGKILL', fake)
    expect(done).toEqual([])
  })

  it('does nothing if the group has no process any more', () => {
    expect(() => killTree(12, 'SIGKILL', system('linux', true).fake)).not.toThrow()
  })
})

describe('killGroupOf an exited process', () => {
  it('kills what is left of its group, and nothing on Windows, where its pid may be in use again', () => {
    const unix = system('linux')
    killGroupOf(12, unix.fake)
    expect(unix.done).toEqual(['kill -12 SIGKILL'])
    const windows = system('win32')
    killGroupOf(12, windows.fake)
    expect(windows.done).toEqual([])
  })
})
