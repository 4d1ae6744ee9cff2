// The example of the library in the README runs as it stands.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root, runShell } from '../../helpers/run-cli.js'

test('the seven calls of the README', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const example = /^## The library$.*?^```js\n(.*?)^```$/ms.exec(readme)?.[1]
  const { stdout, stderr, exitCode } = await runShell('exec "$NODE" --input-type=module', { input: example! })
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  const objects = Array(6).fill('object\n').join('')
  expect(stdout).toBe(`168\ncalled with 135\n135\n[ 4, 4 ]\n${objects}2\n`)
})
