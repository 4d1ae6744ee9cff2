// The files of `--results`, where something is in their way.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ResultFiles } from '../../../src/exec/result-files.js'

test('a file that cannot get its name is reported and does not stay under another one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poolrun-results-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, '0.out'))
  const files = new ResultFiles(folder, 0)
  expect(files.keep()).toContain('0.out')
  expect(readdirSync(folder)).toEqual(['0.err', '0.out'])
})
