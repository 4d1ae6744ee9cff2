// Values that structured clone writes and cannot read.

export function linkedList(nodes: number): unknown {
  let list: unknown = null
  for (let i = 0; i < nodes; i++) list = { next: list }
  return list
}

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
