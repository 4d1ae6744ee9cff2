// Temporary files of a process that was killed: removed, with any PATH and without a shell, unless they were forgotten.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FileRemover, PROGRAMS } from '../../../src/transport/file-remover.js'
import { eventually } from '../../helpers/eventually.js'
import { tempSpace } from '../../helpers/temp-space.js'

describe.each(PROGRAMS)('the program for $command', ({ command, args }) => {
  test.each([
    ['removes the file at the end of its input', '', false],
    ['leaves the file alone once it was told so', 'released\n', true],
  ])('%s', async (_what, input, stays) => {
    const path = tempSpace().write({ "a file'": 'text' })
    const program = spawn(command, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: '', FILE: path },
    })
    program.stdin!.end(input)
    await once(program, 'exit')
    expect(existsSync(path)).toBe(stays)
  })
})

test('tries the next program where one cannot be started, or ends', async () => {
  const path = tempSpace().path('file')
  const writes = `require('node:fs').writeFileSync(process.env.FILE, 'third'); process.stdin.resume()`
  const remover = new FileRemover([
    { command: '/no/such/program', args: [] },
    { command: process.execPath, args: ['-e', '0'] },
    { command: process.execPath, args: ['-e', writes] },
  ])
  remover.watch(path)
  await eventually(
    'the third program',
    () => (existsSync(path) && readFileSync(path, 'utf8') === 'third') || undefined,
  )
  remover.forget(path)
  await remover.rest()
})
