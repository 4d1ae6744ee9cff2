// A fault that no longer fits the code would be reported as one that the simulator misses.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { FAULTS } from './faults.js'

const ROOT = path.join(import.meta.dirname, '../..')

test.each(FAULTS)('the code that $name replaces is in its file once', ({ file, search }) => {
  expect(readFileSync(path.join(ROOT, file), 'utf8').split(search)).toHaveLength(2)
})
