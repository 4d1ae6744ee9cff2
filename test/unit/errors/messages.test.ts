// Small pieces of wording that several messages share.
import { expect, it } from 'vitest'
import { plural } from '../../../src/errors/messages.js'

it('plural adds an s to the noun unless there is exactly one', () => {
  expect([0, 1, 2].map((count) => plural(count, 'running item'))).toEqual([
    '0 running items',
    '1 running item',
    '2 running items',
  ])
})
