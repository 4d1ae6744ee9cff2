// An input is the caller's code: what it sees of the caller's context (`AsyncLocalStorage`) does not depend on who reads it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, test } from 'vitest'
import { openSource } from '../../../../src/pool/sources/open.js'

const storage = new AsyncLocalStorage<string>()
const want = { items: 2, bytes: Number.POSITIVE_INFINITY }

function* generator(seen: Set<unknown>) {
  try {
    for (;;) {
      seen.add(storage.getStore())
      yield 1
    }
  } finally {
    seen.add(storage.getStore())
  }
}

async function* asyncGenerator(seen: Set<unknown>) {
  yield* generator(seen)
}

test.each([
  ['a synchronous input', generator],
  ['an asynchronous input', asyncGenerator],
])('%s runs in the context of its call, to its release', async (_name, input) => {
  const seen = new Set()
  const source = storage.run('its call', () => openSource(input(seen)))
  await storage.run('another call', () => source.next(want))
  await source.next(want)
  await storage.run('another call', () => source.close())
  expect([...seen]).toEqual(['its call'])
})
