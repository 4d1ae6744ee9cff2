// All bytes leave in order, or the failure reaches every caller that waits. The streams here are made to fail;
// test/e2e/write has real ones.
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { BrokenPipeError } from '../../../src/write/broken-pipe.js'
import { createOutput } from '../../../src/write/output.js'

/** Takes nothing before it is told to. */
class Slow extends Writable {
  readonly parts: string[] = []
  private done: ((error?: Error) => void)[] = []
  override _write(bytes: Buffer, _: string, done: (error?: Error) => void): void {
    this.parts.push(bytes.toString('latin1'))
    this.done.push(done)
  }
  take(error?: Error): void {
    this.done.shift()?.(error)
  }
}

const turn = () => new Promise(setImmediate)

describe('output', () => {
  test('small writes of one turn leave as one, at its end', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    for (const text of ['1\n', '2\n', '', '3\n']) expect(output.write(Buffer.from(text))).toBeUndefined()
    await turn()
    expect(stream.parts).toEqual(['1\n2\n3\n'])
  })

  test('a large write leaves at once', () => {
    const stream = new Slow()
    createOutput(stream).write(Buffer.alloc(64 * 1024))
    expect(stream.parts).toHaveLength(1)
  })

  test('a reader that lags is waited for, and the end for all of it', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    const events: string[] = []
    expect(output.write(Buffer.alloc(200_000))).toBeUndefined()
    const wait = output.write(Buffer.alloc(100_000))
    void (wait as Promise<void>).then(() => events.push('drained'))
    void output.end().then(() => events.push('ended'))
    await turn()
    expect(events).toEqual([])
    stream.take()
    await turn()
    expect(events).toEqual(['drained'])
    stream.take()
    await turn()
    expect(events).toEqual(['drained', 'ended'])
  })

  test('end does not wait where nothing was written', async () => {
    await expect(createOutput(new Slow()).end()).resolves.toBeUndefined()
  })

  test.each([
    ['EPIPE', BrokenPipeError],
    ['ENOSPC', OutputError],
    ['EIO', OutputError],
  ])('%s ends every wait and every later write', async (code, type) => {
    const stream = new Slow()
    const output = createOutput(stream)
    const wait = output.write(Buffer.alloc(300_000))
    const end = output.end()
    const error = Object.assign(new Error(code), { code })
    stream.take(error)
    await expect(wait).rejects.toThrow(type)
    await expect(end).rejects.toThrow(type)
    await expect(output.write(Buffer.from('1'))).rejects.toMatchObject({ cause: error })
    await expect(output.end()).rejects.toThrow(type)
    expect(await output.failed).toBeInstanceOf(type)
  })

  test('a stream that is destroyed under it ends the wait', async () => {
    const stream = new Slow()
    const output = createOutput(stream)
    const wait = output.write(Buffer.alloc(300_000))
    stream.destroy()
    await expect(wait).rejects.toThrow(OutputError)
  })
})
