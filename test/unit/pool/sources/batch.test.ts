// The limits of a chunk.
import { expect, test } from 'vitest'
import type { Chunk } from '../../../../src/model.js'
import { openSource } from '../../../../src/pool/sources/open.js'
import { range } from '../../../helpers/iterables.js'

const want = (items: number, bytes = Number.POSITIVE_INFINITY) => ({ items, bytes })

test('a batch of large values is full after few items, whatever their type', () => {
  const kinds: (() => unknown)[] = [
    () => 'x'.repeat(20_000),
    () => new Uint8Array(20_000),
    () => ({ nested: ['x'.repeat(20_000)] }),
  ]
  for (const kind of kinds) {
    const source = openSource(Array.from({ length: 100 }, kind))
    const chunk = source.next(want(100, 65_536)) as Chunk
    expect(chunk.count).toBeGreaterThan(1)
    expect(chunk.count).toBeLessThanOrEqual(5)
  }
  expect(openSource(range(9999)).next(want(4096, 65_536))).toMatchObject({ count: 4096 })
})
