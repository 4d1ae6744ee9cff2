// Which characters the terminal can show, by its environment.
import { describe, expect, it } from 'vitest'
import { chooseCharset } from '../../../src/report/charset.js'

describe('chooseCharset', () => {
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
    it(`returns ${unicode ? 'Unicode' : 'ASCII'} for ${JSON.stringify(env)}`, () => {
      const charset = chooseCharset(env)
      const text = charset.spinner.join('') + charset.barDone + charset.barRest + charset.text('4 × n…')
      expect(/^[\x20-\x7e]*$/.test(text)).toBe(!unicode)
    })
})
