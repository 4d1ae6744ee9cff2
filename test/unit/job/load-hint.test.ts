// What users can do when Node refuses to load what a job imports.
import { describe, expect, test } from 'vitest'
import { loadHint } from '../../../src/job/load-hint.js'

const hintFor = (message: string) =>
  loadHint({ type: 'error', name: 'Error', message, frames: '', builtin: 'Error', props: {} })

describe('the hint for', () => {
  test.each([
    [
      "Cannot find package 'left-pad' imported from /app/job.js",
      /^the package left-pad is not installed where \/app\/job\.js/,
    ],
    ["Cannot find package '@a/b' imported from /app/job.js", /^the package @a\/b is not/],
    [
      "Cannot find module 'left-pad/x'\nRequire stack:\n- /app/job.cjs",
      /^the package left-pad is not installed where \/app\/job\.cjs/,
    ],
    [
      "The requested module './lib.js' does not provide an export named 'b'",
      /^'b' is not among the exports of '\.\/lib\.js'/,
    ],
    ['Unknown file extension ".css" for /app/a.css', /^Node loads JavaScript/],
    ['Module "file:///app/d.json" needs an import attribute of type "json"', /with \{ type: 'json' \}/],
    ['Module "file:///app/d.json" needs an import attribute of "type: json"', /with \{ type: 'json' \}/],
  ])('%s', (message, hint) => {
    expect(hintFor(message)).toMatch(hint)
  })

  test.each([
    "Cannot find module './lib.js'\nRequire stack:\n- /app/job.cjs",
    "Cannot find module '/app/lib.js' imported from /app/job.js",
    'no database here',
  ])('%s: none', (message) => {
    expect(hintFor(message)).toBeUndefined()
  })
})
