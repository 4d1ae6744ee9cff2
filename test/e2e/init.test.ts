// `poolrun init` and the command that it prints; `poolrun completion` with bad arguments.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root, runCli, runShell } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it('init writes a job that runs with the command it prints, and never overwrites a file', async () => {
  const { dir, path } = tempSpace()
  const { stdout, exitCode } = await runCli(['init', 'a place'], { cwd: dir })
  expect(exitCode).toBe(0)
  const command = /^ {2}(poolrun .*)$/m.exec(stdout)?.[1]
  const run = await runShell(command!, { cwd: dir })
  expect(run.exitCode).toBe(3)
  expect(run.stdout).toBe(
    '{"index":0,"name":"readme","size":"4096 bytes"}\n{"index":2,"name":"photo","size":"2400000 bytes"}\n',
  )
  expect(run.stderr).toContain('RangeError: broken has a negative size: -1')
  const before = readFileSync(path('a place/job.ts'), 'utf8')
  const again = await runCli(['init', 'a place'], { cwd: dir })
  expect(again.exitCode).toBe(2)
  expect(again.stderr).toContain('a place/job.ts already exists and was not changed')
  expect(readFileSync(path('a place/job.ts'), 'utf8')).toBe(before)
})

it.each(['job.ts', 'items.ndjson'])('init writes nothing if %s exists', async (name) => {
  const { dir, write } = tempSpace()
  write({ [name]: 'mine' })
  const { stderr, exitCode } = await runCli(['init'], { cwd: dir })
  expect(exitCode).toBe(2)
  expect(stderr).toContain(`${name} already exists and was not changed`)
  expect(readdirSync(dir)).toEqual([name])
  expect(readFileSync(join(dir, name), 'utf8')).toBe('mine')
})

it('init names the folder that it cannot write to', async () => {
  for (const folder of ['/proc/nowhere', 'no/such/parent']) {
    const { stderr, exitCode } = await runCli(['init', folder], { cwd: root })
    expect(exitCode).toBe(7)
    expect(stderr).toContain(`cannot write to ${folder}`)
  }
})

it('completion without a shell, or with an unknown one, lists the supported shells', async () => {
  for (const args of [['completion'], ['completion', 'tcsh']]) {
    const { stderr, exitCode } = await runCli(args)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/bash.*zsh.*fish/)
  }
})
