// CRC-32 as gzip and zlib have it, of a part of some bytes. For lines of a hundred bytes, a call of zlib costs twice as much.
import { crc32 } from 'node:zlib'

const NATIVE_FROM_BYTES = 512

/** One for each of the eight bytes of a step: the last of them first. */
const TABLES = [zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), zeros()] as const
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  T0[byte] = value
}
for (let byte = 0; byte < 256; byte++)
  for (let i = 1; i < 8; i++) {
    const before = TABLES[i - 1]![byte]!
    TABLES[i]![byte] = T0[before & 255]! ^ (before >>> 8)
  }

function zeros(): Int32Array {
  return new Int32Array(256)
}

/** A signed number: for an unsigned one of 32 bits, V8 would allocate an object whenever it is returned. */
export function checksum(bytes: Uint8Array, from: number, to: number): number {
  if (to - from >= NATIVE_FROM_BYTES) return crc32(bytes.subarray(from, to)) | 0
  let crc = -1
  let at = from
  // Eight bytes per step: only the first four wait for the step before.
  for (; at + 8 <= to; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]! ^
      T7[crc & 255]! ^
      T6[(crc >>> 8) & 255]! ^
      T5[(crc >>> 16) & 255]! ^
      T4[crc >>> 24]!
  }
  for (; at < to; at++) crc = T0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return crc ^ -1
}
