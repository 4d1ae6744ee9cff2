// When there is colour.
import { describe, expect, it } from 'vitest'
import { shouldColor } from '../../../src/report/should-color.js'

describe('shouldColor', () => {
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
    it(`turns colour ${expected ? 'on' : 'off'} with ${flagName}, ${JSON.stringify(env)}, ${isTTY ? 'a terminal' : 'a pipe'}`, () => {
      expect(shouldColor({ isTTY }, { flag, env })).toBe(expected)
    })
  }
})
