// Where there is a live block, where lines, where nothing: the choice against what stderr leads to.
import { describe, expect, it } from 'vitest'
import type { ProgressChoice } from '../../../../src/plan.js'
import { chooseCharset } from '../../../../src/report/charset.js'
import {
  chooseProgress,
  type ProgressEnvironment,
  type ProgressMode,
} from '../../../../src/report/progress/progress-mode.js'

const terminal: ProgressEnvironment = { isTTY: true, columns: 80, env: {}, quiet: false, typing: false }
const pipe: ProgressEnvironment = { ...terminal, isTTY: false, columns: 0 }

describe('progress', () => {
  const cases: [ProgressChoice, string, ProgressEnvironment, ProgressMode][] = [
    ['auto', 'a terminal', terminal, 'bar'],
    ['auto', 'a file or a pipe', pipe, 'none'],
    ['auto', 'CI', { ...pipe, env: { CI: 'true' } }, 'plain'],
    ['auto', 'CI with a terminal', { ...terminal, env: { CI: '1' } }, 'plain'],
    ['auto', 'what says that it is no CI', { ...pipe, env: { CI: 'false' } }, 'none'],
    ['auto', 'a dumb terminal', { ...terminal, env: { TERM: 'dumb' } }, 'plain'],
    ['auto', 'a terminal of unknown size', { ...terminal, columns: 0 }, 'plain'],
    ['auto', 'a terminal of a few columns', { ...terminal, columns: 8 }, 'plain'],
    ['auto', 'a terminal, with -q', { ...terminal, quiet: true }, 'none'],
    ['auto', 'CI, with -q', { ...pipe, env: { CI: 'true' }, quiet: true }, 'none'],
    ['auto', 'a terminal into which items are typed', { ...terminal, typing: true }, 'none'],
    ['bar', 'a terminal', terminal, 'bar'],
    ['bar', 'a terminal, with -q', { ...terminal, quiet: true }, 'bar'],
    ['bar', 'CI with a terminal', { ...terminal, env: { CI: 'true' } }, 'bar'],
    ['bar', 'a pipe', pipe, 'plain'],
    ['bar', 'a dumb terminal', { ...terminal, env: { TERM: 'dumb' } }, 'plain'],
    ['plain', 'a terminal', terminal, 'plain'],
    ['plain', 'a pipe', pipe, 'plain'],
    ['none', 'a terminal', terminal, 'none'],
    ['none', 'CI', { ...pipe, env: { CI: 'true' } }, 'none'],
  ]
  for (const [choice, where, around, mode] of cases)
    it(`is ${mode} for --progress ${choice} where stderr is ${where}`, () => {
      expect(chooseProgress(choice, around)).toBe(mode)
    })
})

describe('letters', () => {
  const cases: [NodeJS.ProcessEnv, boolean][] = [
    [{}, true],
    [{ LANG: '' }, true],
    [{ LANG: 'C' }, false],
    [{ LANG: 'C.UTF-8' }, true],
    [{ LANG: 'de_DE.utf8' }, true],
    [{ LANG: 'de_DE.ISO-8859-1' }, false],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }, false],
    [{ LANG: 'C', LC_CTYPE: 'C.UTF-8' }, true],
    [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'en_US.UTF-8', TERM: 'linux' }, false],
  ]
  for (const [env, unicode] of cases)
    it(`are ${unicode ? 'all there' : 'ASCII'} with ${JSON.stringify(env)}`, () => {
      const letters = chooseCharset(env)
      const text = letters.spinner.join('') + letters.barDone + letters.barRest + letters.text('4 × n…')
      expect(/^[\x20-\x7e]*$/.test(text)).toBe(!unicode)
    })
})
