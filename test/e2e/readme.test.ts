// The README tells the truth: each ```console block holds commands after `$ ` and what they print.
// A command that succeeds is compared by its stdout, one that fails by stdout and then stderr.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { normalise } from '../helpers/normalise.js'
import { root, runShell } from '../helpers/run-cli.js'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text]) => text as string)

const examples = blocks.flatMap((block) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((example): [string, string] => {
      const end = example.indexOf('\n')
      return [example.slice(0, end), example.slice(end + 1)]
    }),
)

it('has examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6)
})

describe('the README shows what is printed by', () => {
  it.each(examples)('%s', async (command, shown) => {
    const run = await runShell(command.replace(/\bnpx poolrun\b/, 'poolrun'))
    expect(normalise(run.exitCode === 0 ? run.stdout : run.stdout + run.stderr)).toBe(normalise(shown))
  })
})

it('starts with a command that works', async () => {
  const first = /^```sh\n(.*?)^```$/ms.exec(readme)?.[1] ?? ''
  expect(first).toMatch(/^npm ci$/m)
  const command = first.split('\n').find((line) => line.startsWith('npx poolrun')) ?? ''
  const run = await runShell(command.replace('npx poolrun', 'poolrun'))
  expect(run.stdout).not.toBe('')
  expect(run.exitCode).toBe(0)
})
