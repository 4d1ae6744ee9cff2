// Text for a reader that falls behind. The stream here takes something only when the test says so;
// test/e2e/reliability/unread-stderr.test.ts has a real one.
import { Writable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { TextOutput } from '../../../src/write/text-output.js'

class ManualStream extends Writable {
  text = ''
  readonly #done: ((error?: Error) => void)[] = []
  override _write(bytes: Buffer, _: string, done: (error?: Error) => void): void {
    this.text += bytes.toString()
    this.#done.push(done)
  }
  take(error?: Error): void {
    this.#done.shift()?.(error)
  }
  /** Takes everything that is written, too, until nothing more comes. */
  async takeAll(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      if (this.#done.length > 0) idle = 0
      this.take()
      await new Promise(setImmediate)
    }
  }
}

function setUp() {
  const stream = new ManualStream({ highWaterMark: 10 })
  const behind: boolean[] = []
  const output = new TextOutput(stream, (isBehind) => behind.push(isBehind))
  return { stream, behind, output }
}

const MB = 1 << 20

describe('a reader that falls behind', () => {
  it('is noticed once, and again when it has taken everything, in order', async () => {
    const { stream, behind, output } = setUp()
    for (const text of ['1\n', '2\n', '3 is long enough\n', '4\n', 'größer\n']) output.write(text)
    expect(behind).toEqual([true])
    await stream.takeAll()
    expect(stream.text).toBe('1\n2\n3 is long enough\n4\ngrößer\n')
    expect(behind).toEqual([true, false])
  })

  it('costs no more than some megabytes; what is dropped is counted', async () => {
    const { stream, output } = setUp()
    output.write('the first is written\n')
    for (let i = 0; i < 100; i++) output.write(`${'x'.repeat(MB - 1)}\n`)
    output.write('a\nb\n')
    await stream.takeAll()
    expect(stream.text.length).toBeLessThan(9 * MB)
    const [first, ...others] = stream.text.split('\n').filter((line) => !line.startsWith('xx'))
    expect(first).toBe('the first is written')
    const kept = stream.text.split('\n').filter((line) => line.startsWith('xx')).length
    expect(others).toEqual([
      // The short lines still had room.
      'a',
      'b',
      `poolrun: warning: ${100 - kept} lines were dropped here, because stderr was not read`,
      '',
    ])
  })

  it('holds back nothing any more when the stream has failed', async () => {
    const { stream, behind, output } = setUp()
    stream.on('error', () => {})
    output.write('long enough to wait for\n')
    output.write('more\n')
    stream.take(new Error('EPIPE'))
    await new Promise(setImmediate)
    expect(behind).toEqual([true, false])
  })
})

describe('room', () => {
  it('is waited for when much is pending, and no longer', async () => {
    const { stream, output } = setUp()
    output.write('long enough to wait for\n')
    output.write('more\n')
    expect(output.room()).toBe(undefined)
    for (let i = 0; i < 5; i++) output.write('x'.repeat(MB))
    const room = output.room()
    expect(room).toBeInstanceOf(Promise)
    expect(output.room()).toBe(room)
    await stream.takeAll()
    await room
    expect(output.room()).toBe(undefined)
  })
})

describe('flushed', () => {
  it('resolves when the reader has taken everything', async () => {
    const { stream, output } = setUp()
    output.write('short\n')
    let flushed = false
    const wait = output.flushed(60_000).then(() => {
      flushed = true
    })
    await new Promise(setImmediate)
    expect(flushed).toBe(false)
    await stream.takeAll()
    await wait
  })

  it('waits for the last text of a reader that was behind, however short', async () => {
    const { stream, output } = setUp()
    output.write('long enough to wait for\n')
    output.write('short\n')
    let flushed = false
    const wait = output.flushed(60_000).then(() => {
      flushed = true
    })
    stream.take()
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
    expect(stream.text).toBe('long enough to wait for\nshort\n')
    expect(flushed).toBe(false)
    await stream.takeAll()
    await wait
  })

  it('waits for a reader that is slow, not for one that has stopped', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const { stream, output } = setUp()
      output.write('x'.repeat(20))
      output.write('x'.repeat(64 * 1024))
      let flushed = false
      void output.flushed(1000).then(() => {
        flushed = true
      })
      for (let piece = 0; piece < 3; piece++) {
        vi.advanceTimersByTime(999)
        stream.take()
        await new Promise(setImmediate)
      }
      expect(flushed).toBe(false)
      vi.advanceTimersByTime(2000)
      await new Promise(setImmediate)
      expect(flushed).toBe(true)
    } finally {
      vi.useRealTimers()
    }
  })
})
