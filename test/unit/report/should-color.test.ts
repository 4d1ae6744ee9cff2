// Who decides about colour, and that colour is only a layer.
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadColors, noColors } from '../../../src/report/colors.js'
import { shouldColor } from '../../../src/report/should-color.js'

describe('colour', () => {
  const cases: [boolean | undefined, NodeJS.ProcessEnv, boolean, boolean][] = [
    [undefined, {}, true, true],
    [undefined, {}, false, false],
    [undefined, { TERM: 'dumb' }, true, false],
    [undefined, { TERM: 'dumb', FORCE_COLOR: '1' }, true, true],
    [undefined, { FORCE_COLOR: '1' }, false, true],
    [undefined, { FORCE_COLOR: '' }, false, true],
    [undefined, { FORCE_COLOR: '0' }, true, false],
    [undefined, { FORCE_COLOR: 'false' }, true, false],
    [undefined, { NO_COLOR: '1' }, true, false],
    [undefined, { NO_COLOR: '0' }, true, false],
    [undefined, { NO_COLOR: '' }, true, true],
    [undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [true, { NO_COLOR: '1', TERM: 'dumb' }, false, true],
    [true, { FORCE_COLOR: '0' }, false, true],
    [false, { FORCE_COLOR: '1' }, true, false],
  ]
  for (const [flag, env, isTTY, expected] of cases) {
    const flagName = flag === undefined ? 'no flag' : flag ? '--color' : '--no-color'
    it(`is ${expected ? 'on' : 'off'} with ${flagName}, ${JSON.stringify(env)}, ${isTTY ? 'a terminal' : 'a pipe'}`, () => {
      expect(shouldColor({ isTTY }, { flag, env })).toBe(expected)
    })
  }
})

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

describe('a painter', () => {
  it('leaves every byte as it is without colour', async () => {
    expect(await loadColors(false)).toBe(noColors)
    expect(noColors.block(BLOCK)).toBe(BLOCK)
  })

  it('adds nothing but colour', async () => {
    const painted = (await loadColors(true)).block(BLOCK)
    expect(stripVTControlCharacters(painted)).toBe(BLOCK)
  })

  it('shows headings red and bold, frames dim, the rest plain', async () => {
    const painted = (await loadColors(true)).block(BLOCK)
    const style = (line: string) =>
      line.startsWith('\u001b[31m\u001b[1m') ? 'red' : line.startsWith('\u001b[2m') ? 'dim' : 'plain'
    expect(painted.split('\n').map(style)).toEqual([
      ...['dim', 'dim', 'red', 'plain', 'dim', 'red', 'dim', 'dim'],
      ...['plain', 'plain', 'plain', 'red', 'dim', 'plain'],
    ])
  })

  it('shows the heading of each attempt', async () => {
    const painted = (await loadColors(true)).block('attempt 1 of 2 failed:\nTimeoutError: item 2\n')
    expect(painted.split('\n').map((line) => line.startsWith('\u001b[31m\u001b[1m'))).toEqual([
      false,
      true,
      false,
    ])
  })

  it('takes the first line of a block without a remote part for its heading', async () => {
    const painted = (await loadColors(true)).block(
      'WorkerLostError: item 2 lost\n    at poolrun map job.ts\n',
    )
    expect(painted.startsWith('\u001b[31m\u001b[1mWorkerLostError: item 2 lost')).toBe(true)
  })
})
