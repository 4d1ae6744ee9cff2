// Commands that the system does not let start wait for others to end.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Room } from '../../../src/exec/room.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const { signal } = new AbortController()
const lacks = (code: string) => Object.assign(new Error(code), { code })

/** A command that ends when the test says so. */
function command() {
  let end!: () => void
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const start = (started: () => void) => {
    started()
    return ended
  }
  return { start, end }
}

test.each(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'])(
  'after %s, a command starts when another one has ended',
  async (code) => {
    const room = new Room(2)
    const first = command()
    const running = room.run(signal, first.start)
    const second = vi.fn(async (started: () => void) => started()).mockRejectedValueOnce(lacks(code))
    const waiting = room.run(signal, second)
    await vi.advanceTimersByTimeAsync(0)
    expect(second).toHaveBeenCalledTimes(1)
    first.end()
    await Promise.all([running, waiting])
    expect(second).toHaveBeenCalledTimes(2)
  },
)

test('it fails if it cannot start although no other one runs', async () => {
  const start = vi.fn(() => Promise.reject(lacks('EAGAIN')))
  const failed = expect(new Room(2).run(signal, start)).rejects.toThrow('EAGAIN')
  await vi.advanceTimersByTimeAsync(60_000)
  await failed
  expect(start.mock.calls.length).toBeGreaterThan(5)
})

test('an abort ends the wait', async () => {
  const room = new Room(2)
  void room.run(signal, command().start)
  const abort = new AbortController()
  const failed = expect(room.run(abort.signal, () => Promise.reject(lacks('EAGAIN')))).rejects.toThrow(
    'EAGAIN',
  )
  await vi.advanceTimersByTimeAsync(0)
  abort.abort()
  await failed
})

test('no other error is tried again', async () => {
  const start = vi.fn(() => Promise.reject(lacks('ENOENT')))
  await expect(new Room(2).run(signal, start)).rejects.toThrow('ENOENT')
  expect(start).toHaveBeenCalledTimes(1)
})
