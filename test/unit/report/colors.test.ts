// Colour is only a layer over the plain text.
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadColors, noColors } from '../../../src/report/colors.js'

const BLOCK = `RemoteTraceback: item 2, worker 1 (pid 4131)
"""
Error: Something bad happened!
it goes on
    at task (jobs/fail2.ts:6:11)
  [1/2] RangeError: inner
    at inner (jobs/fail2.ts:9:1)
"""

The above exception was the direct cause of the following exception:

Error: Something bad happened!
    at poolrun map jobs/fail2.ts (item 2: 2)
`

describe('colors', () => {
  it('leave every byte as it is without colour', async () => {
    expect(await loadColors(false)).toBe(noColors)
    expect(noColors.block(BLOCK)).toBe(BLOCK)
  })

  it('add nothing but colour', async () => {
    const colored = (await loadColors(true)).block(BLOCK)
    expect(stripVTControlCharacters(colored)).toBe(BLOCK)
  })

  it('make headings red and bold, frames dim, the rest plain', async () => {
    const colored = (await loadColors(true)).block(BLOCK)
    const style = (line: string) =>
      line.startsWith('\u001b[31m\u001b[1m') ? 'red' : line.startsWith('\u001b[2m') ? 'dim' : 'plain'
    expect(colored.split('\n').map(style)).toEqual([
      ...['dim', 'dim', 'red', 'plain', 'dim', 'red', 'dim', 'dim'],
      ...['plain', 'plain', 'plain', 'red', 'dim', 'plain'],
    ])
  })

  it('make the heading of each attempt red', async () => {
    const colored = (await loadColors(true)).block('attempt 1 of 2 failed:\nTimeoutError: item 2\n')
    expect(colored.split('\n').map((line) => line.startsWith('\u001b[31m\u001b[1m'))).toEqual([
      false,
      true,
      false,
    ])
  })

  it('make the first line red in a block without a remote traceback', async () => {
    const colored = (await loadColors(true)).block(
      'WorkerLostError: item 2 lost\n    at poolrun map job.ts\n',
    )
    expect(colored.startsWith('\u001b[31m\u001b[1mWorkerLostError: item 2 lost')).toBe(true)
  })
})
