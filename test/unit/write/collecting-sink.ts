// A sink that keeps what is written to it.
import type { ByteSink } from '../../../src/write/output.js'

export class CollectingSink implements ByteSink {
  readonly parts: Uint8Array[] = []
  write(bytes: Uint8Array): void {
    this.parts.push(bytes)
  }
  get text(): string {
    return Buffer.concat(this.parts).toString()
  }
}
