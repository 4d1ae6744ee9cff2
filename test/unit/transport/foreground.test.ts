import { expect, it } from 'vitest'
import { foregroundByPs } from '../../../src/transport/foreground.js'

it.each([
  ['true if the terminal’s foreground group is ours', ' 40 40\n', true],
  ['false if it is the shell’s', '  40    30\n', false],
  ['true without a controlling terminal', '40 -1\n', true],
  ['true without a controlling terminal on macOS', '40 0\n', true],
  ['true where ps failed', '', true],
  ['true where ps shows something else', 'PID TTY\n', true],
])('foregroundByPs is %s', (_what, output, expected) => {
  const isForeground = foregroundByPs({ now: () => 0, ps: (_args, onOutput) => onOutput(output) })
  expect(isForeground()).toBe(expected)
})

it('foregroundByPs starts ps once per second, and answers without waiting', () => {
  let now = 0
  const answers: ((output: string) => void)[] = []
  const isForeground = foregroundByPs({ now: () => now, ps: (_args, onOutput) => answers.push(onOutput) })
  expect(isForeground()).toBe(true)
  now = 999
  isForeground()
  expect(answers).toHaveLength(1)
  answers[0]!('1 2\n')
  expect(isForeground()).toBe(false)
  now = 1_000
  isForeground()
  answers[1]!('1 1\n')
  expect(isForeground()).toBe(true)
})
