// docs/cli.md and the completion scripts are in line with the option table.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMAND_NAMES, SHELLS } from '../../../src/cli/commands.js'
import { completionScript } from '../../../src/cli/completion.js'
import { longFlag, OPTION_ENTRIES } from '../../../src/cli/options.js'
import { reference } from '../../../src/cli/reference.js'

test('docs/cli.md is up to date (npm run docs)', () => {
  expect(readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')).toBe(reference())
})

test.each(SHELLS)('the script for %s lists every command and option', (shell) => {
  const script = completionScript(shell)
  for (const name of COMMAND_NAMES) expect(script).toContain(name)
  for (const [key] of OPTION_ENTRIES) expect(script).toContain(longFlag(key).slice(2))
})
