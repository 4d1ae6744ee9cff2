// The library examples in the README and in docs/library.md run as printed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, runShell } from '../../helpers/run-cli.js'

/** The first ```js block after this heading. */
function exampleIn(page: string, heading: string): string {
  const text = readFileSync(join(root, page), 'utf8')
  return new RegExp(`^${heading}$.*?^\`\`\`js\\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1] ?? ''
}

async function outputOf(example: string): Promise<string> {
  const { stdout, stderr, exitCode } = await runShell('exec "$NODE" --input-type=module', { input: example })
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  return stdout
}

test('the example of the README prints an error, then results with and without the failed item', async () => {
  const example = exampleIn('README.md', '## The library')
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(20)
  expect(await outputOf(example)).toBe('c: try again later 2\na\nb\na\nb\nitem 2: c: try again later\n')
})

test('the seven calls of docs/library.md print their results', async () => {
  const objects = Array(6).fill('object\n').join('')
  expect(await outputOf(exampleIn('docs/library.md', '## All calls in one example'))).toBe(
    `168\ncalled with 135\n135\n[ 4, 4 ]\n${objects}2\n`,
  )
})
