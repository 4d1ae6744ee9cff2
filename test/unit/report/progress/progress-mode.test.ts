// Whether there is a live block, plain lines or nothing, by --progress and by what stderr is.
import { describe, expect, it } from 'vitest'
import type { ProgressChoice } from '../../../../src/plan.js'
import {
  chooseProgress,
  type ProgressEnvironment,
  type ProgressMode,
} from '../../../../src/report/progress/progress-mode.js'

const terminal: ProgressEnvironment = {
  isTTY: true,
  columns: 80,
  env: {},
  quiet: false,
  typing: false,
  piped: false,
}
const pipe: ProgressEnvironment = { ...terminal, isTTY: false, columns: 0 }

describe('chooseProgress', () => {
  const cases: [ProgressChoice, string, ProgressEnvironment, ProgressMode][] = [
    ['auto', 'a terminal', terminal, 'bar'],
    ['auto', 'a file or a pipe', pipe, 'none'],
    ['auto', 'CI', { ...pipe, env: { CI: 'true' } }, 'plain'],
    ['auto', 'CI with a terminal', { ...terminal, env: { CI: '1' } }, 'plain'],
    ['auto', 'an environment with CI=false', { ...pipe, env: { CI: 'false' } }, 'none'],
    ['auto', 'a dumb terminal', { ...terminal, env: { TERM: 'dumb' } }, 'plain'],
    ['auto', 'a terminal of unknown size', { ...terminal, columns: 0 }, 'plain'],
    ['auto', 'a terminal of a few columns', { ...terminal, columns: 8 }, 'plain'],
    ['auto', 'a terminal, with -q', { ...terminal, quiet: true }, 'none'],
    ['auto', 'CI, with -q', { ...pipe, env: { CI: 'true' }, quiet: true }, 'none'],
    ['auto', 'a terminal into which items are typed', { ...terminal, typing: true }, 'none'],
    ['auto', 'a terminal to which the reader of stdout may write', { ...terminal, piped: true }, 'plain'],
    ['auto', 'a file or a pipe, and stdout a pipe', { ...pipe, piped: true }, 'none'],
    ['auto', 'a terminal, with -q and stdout a pipe', { ...terminal, quiet: true, piped: true }, 'none'],
    ['bar', 'a terminal', terminal, 'bar'],
    ['bar', 'a terminal to which the reader of stdout may write', { ...terminal, piped: true }, 'bar'],
    ['bar', 'a terminal, with -q', { ...terminal, quiet: true }, 'bar'],
    ['bar', 'CI with a terminal', { ...terminal, env: { CI: 'true' } }, 'bar'],
    ['bar', 'a pipe', pipe, 'plain'],
    ['bar', 'a dumb terminal', { ...terminal, env: { TERM: 'dumb' } }, 'plain'],
    ['plain', 'a terminal', terminal, 'plain'],
    ['plain', 'a pipe', pipe, 'plain'],
    ['none', 'a terminal', terminal, 'none'],
    ['none', 'CI', { ...pipe, env: { CI: 'true' } }, 'none'],
  ]
  for (const [choice, where, environment, mode] of cases)
    it(`returns ${mode} for --progress ${choice} when stderr is ${where}`, () => {
      expect(chooseProgress(choice, environment)).toBe(mode)
    })
})
