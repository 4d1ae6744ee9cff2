// Inputs that need a second process: a named pipe with a writer.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openInput } from '../../../src/read/open.js'
import { tempSpace } from '../../helpers/temp-space.js'
import { MANY, valuesOf } from '../../unit/read/helpers.js'

test('a named pipe is read as a stream, and closing it ends a pending read', async () => {
  const fifo = tempSpace().path('fifo')
  execFileSync('mkfifo', [fifo])
  const writer = spawn('sh', ['-c', '{ echo 1; exec sleep 60; } > "$0"', fifo], {
    stdio: 'ignore',
  })
  const source = await openInput({ kind: 'file', path: fifo }, undefined)
  expect(valuesOf((await source.next(MANY))!)).toEqual([1])
  const pending = source.next(MANY)
  source.close()
  expect(await pending).toBeUndefined()
  writer.kill('SIGKILL')
  await once(writer, 'exit')
})
