// The completion scripts in the shells that they are for.
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { SHELLS } from '../../../src/cli/commands.js'
import { completionScript } from '../../../src/cli/completion.js'

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

describe.each(SHELLS)('%s', (shell) => {
  test.runIf(has(shell))('accepts its completion script', () => {
    const check = spawnSync(shell, ['-n'], { input: completionScript(shell), encoding: 'utf8' })
    expect(check.stderr).toBe('')
    expect(check.status).toBe(0)
  })
})

describe.runIf(has('bash'))('bash completes', () => {
  test.each([
    ['poolrun im', 'imap imap-unordered'],
    ['poolrun collect job.ts --max-f', '--max-failures'],
    ['poolrun map job.ts --format ', 'ndjson json raw csv tsv'],
    ['poolrun completion ', 'bash zsh fish'],
  ])('%s', (line, expected) => {
    const words = line.split(' ')
    const array = words.map((word) => `'${word}'`).join(' ')
    const complete = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _poolrun; echo "\${COMPREPLY[*]}"`
    const script = `${completionScript('bash')}\n${complete}`
    expect(execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim()).toBe(expected)
  })
})
