// docs/cli.md and the completion scripts are in line with the option table.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
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

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

describe.each(SHELLS)('%s', (shell) => {
  test.runIf(has(shell))('accepts its script', () => {
    const check = spawnSync(shell, ['-n'], { input: completionScript(shell), encoding: 'utf8' })
    expect(check.stderr).toBe('')
    expect(check.status).toBe(0)
  })
})

describe.runIf(has('bash'))('bash completes', () => {
  test.each([
    ['poolrun im', 'imap imap-unordered'],
    ['poolrun collect job.ts --max-f', '--max-failures'],
    ['poolrun map job.ts --format ', 'ndjson json raw'],
    ['poolrun completion ', 'bash zsh fish'],
  ])('%s', (line, expected) => {
    const words = line.split(' ')
    const array = words.map((word) => `'${word}'`).join(' ')
    const call = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _poolrun; echo "\${COMPREPLY[*]}"`
    const output = execFileSync('bash', ['-c', `${completionScript('bash')}\n${call}`], { encoding: 'utf8' })
    expect(output.trim()).toBe(expected)
  })
})
