import { describe, expect, test } from 'vitest'
import { WriteBuffers } from '../../../src/ipc/write-buffers.js'

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value)

describe('WriteBuffers', () => {
  test('copy: what changes afterwards is not in the copy', () => {
    const original = bytes(20_000)
    const copy = new WriteBuffers().copyOf(original)
    original.fill(2)
    expect(Buffer.compare(copy, bytes(20_000))).toBe(0)
  })

  test('use memory again once it was released, and not before', () => {
    const buffers = new WriteBuffers()
    const first = buffers.copyOf(bytes(20_000))
    const second = buffers.copyOf(bytes(20_000))
    expect(second.buffer).not.toBe(first.buffer)
    buffers.release(first)
    const third = buffers.copyOf(bytes(30_000, 3))
    expect(third.buffer).toBe(first.buffer)
    expect(Buffer.compare(third, bytes(30_000, 3))).toBe(0)
    expect(buffers.copyOf(bytes(30_000)).buffer).not.toBe(first.buffer)
  })

  test('do not use twice as much memory as is needed', () => {
    const buffers = new WriteBuffers()
    const large = buffers.copyOf(bytes(1_000_000))
    buffers.release(large)
    expect(buffers.copyOf(bytes(20_000)).buffer.byteLength).toBe(32_768)
    expect(buffers.copyOf(bytes(1_000_000)).buffer).toBe(large.buffer)
  })

  test('keep a few megabytes, and no more', () => {
    const buffers = new WriteBuffers()
    const copies = Array.from({ length: 10 }, () => buffers.copyOf(bytes(1_000_000)))
    for (const copy of copies) buffers.release(copy)
    const again = copies.map(() => buffers.copyOf(bytes(1_000_000)).buffer)
    expect(again.filter((buffer) => copies.some((copy) => copy.buffer === buffer))).toHaveLength(8)
    const larger = buffers.copyOf(bytes(10_000_000))
    buffers.release(larger)
    expect(buffers.copyOf(bytes(10_000_000)).buffer).not.toBe(larger.buffer)
  })
})
