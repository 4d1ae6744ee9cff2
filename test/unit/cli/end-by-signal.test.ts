import { describe, expect, it } from 'vitest'
import { endBySignal, type SignalSystem } from '../../../src/cli/end-by-signal.js'

async function end(signal: NodeJS.Signals, system: Partial<SignalSystem>) {
  const done: (string | number)[] = []
  const raise = (signal: string) => void done.push(signal)
  endBySignal(signal, (code) => void done.push(code), { platform: 'linux', raise, ...system })
  await new Promise(setImmediate)
  return done
}

describe('endBySignal', () => {
  it('raises the signal, and exits with its code where that has no effect', async () => {
    expect(await end('SIGTERM', {})).toEqual(['SIGTERM', 143])
    expect(await end('SIGHUP', { platform: 'darwin' })).toEqual(['SIGHUP', 129])
  })

  it('only exits on Windows, where no signal can be raised', async () => {
    expect(await end('SIGINT', { platform: 'win32' })).toEqual([130])
  })

  it('only exits where raising it fails', async () => {
    const raise = () => {
      throw new Error('EPERM')
    }
    expect(await end('SIGINT', { raise })).toEqual([130])
  })
})
