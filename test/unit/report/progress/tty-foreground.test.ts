// Whether this process is in the foreground, by /proc/self/stat.
import { expect, it } from 'vitest'
import { isForeground } from '../../../../src/report/progress/tty-foreground.js'

it.each([
  ['is true if the terminal’s foreground group is ours', '42 (node) S 1 40 30 34816 40 4194304', true],
  ['is false if it is the shell’s', '42 (node) S 1 40 30 34816 30 4194304', false],
  [
    'is not confused by a process name that looks like fields',
    '42 (a) S 1 2 3) S 1 40 30 34816 30 4194304',
    false,
  ],
  ['is true without a controlling terminal', '42 (node) S 1 40 30 0 -1 4194304', true],
  ['is true if the system does not say', '', true],
])('isForeground %s', (_what, stat, expected) => {
  expect(isForeground(undefined, () => stat)).toBe(expected)
})

it.each([true, false])('isForeground takes another answer where the system does not say: %s', (answer) => {
  const read = () => ''
  expect(isForeground(() => answer, read)).toBe(answer)
})
