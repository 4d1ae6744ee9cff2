// Values that structured clone writes and cannot read.
import { deserialize, serialize } from 'node:v8'

export function linkedList(nodes: number): unknown {
  let list: unknown = null
  for (let i = 0; i < nodes; i++) list = { next: list }
  return list
}

/** Node 22 and later can read it. */
export function selfCaused(): Error {
  const error = new Error('its own cause')
  error.cause = error
  return error
}

export function wasmModule(): object {
  const { Module } = (globalThis as unknown as { WebAssembly: { Module: new (bytes: Uint8Array) => object } })
    .WebAssembly
  return new Module(Buffer.from('0061736d01000000', 'hex'))
}

/** By this process, at this depth of the stack. */
export function isReadable(value: unknown): boolean {
  try {
    deserialize(serialize(value))
    return true
  } catch {
    return false
  }
}

/** How many nodes a list may have. */
export function longestReadableList(): number {
  let [readable, unreadable] = [0, 100_000]
  while (unreadable - readable > 1) {
    const middle = Math.floor((readable + unreadable) / 2)
    if (isReadable(linkedList(middle))) readable = middle
    else unreadable = middle
  }
  return readable
}
