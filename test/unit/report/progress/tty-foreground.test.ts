// Who has the terminal, by what the kernel says of us.
import { expect, it } from 'vitest'
import { isForeground } from '../../../../src/report/progress/tty-foreground.js'

it.each([
  ['the terminal’s group is ours', '42 (node) S 1 40 30 34816 40 4194304', true],
  ['it is the shell’s', '42 (node) S 1 40 30 34816 30 4194304', false],
  ['our name looks like the rest', '42 (a) S 1 2 3) S 1 40 30 34816 30 4194304', false],
  ['there is no controlling terminal', '42 (node) S 1 40 30 0 -1 4194304', true],
  ['the system does not say', '', true],
])('%s', (_what, stat, expected) => {
  expect(isForeground(() => stat)).toBe(expected)
})
