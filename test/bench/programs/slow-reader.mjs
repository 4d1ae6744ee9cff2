// Reads stdin at so many bytes per second.
import { readSync } from 'node:fs'

const perSecond = Number(process.argv[2])
const block = Buffer.allocUnsafe(1 << 16)
const began = performance.now()
const pause = new Int32Array(new SharedArrayBuffer(4))
for (let total = 0, read = readSync(0, block); read > 0; read = readSync(0, block)) {
  total += read
  const early = (1000 * total) / perSecond - (performance.now() - began)
  if (early > 0) Atomics.wait(pause, 0, 0, early)
}
