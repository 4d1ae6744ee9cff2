// All bytes leave in order, or the failure reaches every caller that waits. The streams here are made to fail;
// test/e2e/write has real ones.
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { OutputError } from '../../../src/errors/classes.js'
import { BrokenPipeError } from '../../../src/write/broken-pipe.js'
import { createOutput } from '../../../src/write/output.js'

/** Finishes a write only when `take` is called. */
class ManualStream extends Writable {
  readonly parts: string[] = []
  readonly #done: ((error?: Error) => void)[] = []
  override _write(bytes: Buffer, _: string, done: (error?: Error) => void): void {
    this.parts.push(bytes.toString('latin1'))
    this.#done.push(done)
  }
  take(error?: Error): void {
    this.#done.shift()?.(error)
  }
}

const nextTurn = () => new Promise(setImmediate)

describe('output', () => {
  test('joins the small writes of one turn of the event loop', async () => {
    const stream = new ManualStream()
    const output = createOutput(stream)
    for (const text of ['1\n', '2\n', '', '3\n']) expect(output.write(Buffer.from(text))).toBeUndefined()
    await nextTurn()
    expect(stream.parts).toEqual(['1\n2\n3\n'])
  })

  test('passes a large write on immediately', () => {
    const stream = new ManualStream()
    createOutput(stream).write(Buffer.alloc(64 * 1024))
    expect(stream.parts).toHaveLength(1)
  })

  test('waits for a reader that lags, and at its end until everything was written', async () => {
    const stream = new ManualStream()
    const output = createOutput(stream)
    const events: string[] = []
    expect(output.write(Buffer.alloc(200_000))).toBeUndefined()
    const wait = output.write(Buffer.alloc(100_000))
    void (wait as Promise<void>).then(() => events.push('written'))
    void output.end().then(() => events.push('ended'))
    await nextTurn()
    expect(events).toEqual([])
    stream.take()
    await nextTurn()
    expect(events).toEqual(['written'])
    stream.take()
    await nextTurn()
    expect(events).toEqual(['written', 'ended'])
  })

  test('ends without waiting if nothing was written', async () => {
    await expect(createOutput(new ManualStream()).end()).resolves.toBeUndefined()
  })

  test.each([
    ['EPIPE', BrokenPipeError],
    ['ENOSPC', OutputError],
    ['EIO', OutputError],
  ])('rejects every pending and every later write after %s', async (code, type) => {
    const stream = new ManualStream()
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

  test('rejects a pending write when the stream is destroyed', async () => {
    const stream = new ManualStream()
    const output = createOutput(stream)
    const wait = output.write(Buffer.alloc(300_000))
    stream.destroy()
    await expect(wait).rejects.toThrow(OutputError)
  })

  test.each([
    ['ENOSPC', 'no space left on the device'],
    ['EFBIG', 'it would be larger than the limit (ulimit -f)'],
    ['EBADF', 'EBADF: as the system says'],
  ])('gives the reason for %s in the words of all files', async (code, reason) => {
    const stream = new ManualStream()
    const output = createOutput(stream)
    output.write(Buffer.from('1'))
    const ended = output.end()
    stream.take(Object.assign(new Error(`${code}: as the system says`), { code }))
    await expect(ended).rejects.toThrow(new OutputError(`cannot write the output: ${reason}`))
  })
})
