// Hashes JSON values from their text, in 64 bits: equal values have one hash however they are spelled, whatever the order of
// their keys. Nothing is parsed, except strings with escapes and numbers that JavaScript would write in another way.

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COLON = 0x3a
const COMMA = 0x2c
const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

/** Values of different types never start alike. */
const TAG = { string: 1, number: 2, literal: 3, array: 4, object: 5, member: 6, raw: 7 } as const

/** Deeper values, and text that is not JSON, are hashed as bytes. */
const MAX_DEPTH = 500
/** A number of more digits may not be an integer that JavaScript can hold. */
const MAX_DIGITS = 15
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** What was hashed last is in `low` and `high`, because a bigint, or an object per item, costs more than the hash. */
export class ValueHash {
  low = 0
  high = 0
  readonly #seed: number
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0
  #isValid = true

  constructor(seed: number) {
    this.#seed = seed
  }

  /** Of the JSON text `bytes[from, to)`. */
  json(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes
    this.#at = from
    this.#end = to
    this.#isValid = true
    this.#value(0)
    this.#skipSpace()
    if (!this.#isValid || this.#at < to) this.#hashBytes(TAG.raw, bytes, from, to)
  }

  /** Of the string whose text in UTF-8 this is. */
  text(bytes: Uint8Array, from: number, to: number): void {
    this.#hashBytes(TAG.string, bytes, from, to)
  }

  #value(depth: number): void {
    this.#skipSpace()
    const bytes = this.#bytes
    const byte = this.#at < this.#end ? bytes[this.#at]! : 0
    if (byte === QUOTE) this.#string()
    else if (byte === MINUS || (byte >= ZERO && byte <= NINE)) this.#number()
    else if (byte === OPEN_BRACE && depth < MAX_DEPTH) this.#object(depth)
    else if (byte === OPEN_BRACKET && depth < MAX_DEPTH) this.#array(depth)
    else this.#literal()
  }

  #string(): void {
    const bytes = this.#bytes
    const start = ++this.#at
    let hasEscapes = false
    let at = start
    for (; at < this.#end && bytes[at] !== QUOTE; at++)
      if (bytes[at] === BACKSLASH) {
        hasEscapes = true
        at++
      }
    if (at >= this.#end) {
      this.#isValid = false
      return
    }
    this.#at = at + 1
    if (!hasEscapes) return this.#hashBytes(TAG.string, bytes, start, at)
    const text = this.#parse(start - 1, at + 1)
    if (typeof text !== 'string') return
    // In UTF-8, half of a surrogate pair would be the same bytes as any other half.
    const isText = !/\p{Surrogate}/u.test(text)
    const plain = Buffer.from(isText ? text : JSON.stringify(text))
    this.#hashBytes(isText ? TAG.string : TAG.raw, plain, 0, plain.length)
  }

  #number(): void {
    const bytes = this.#bytes
    const start = this.#at
    let at = bytes[start] === MINUS ? start + 1 : start
    const first = at
    while (at < this.#end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
    const digits = at - first
    const isInteger = digits <= MAX_DIGITS && (bytes[first] !== ZERO || (digits === 1 && first === start))
    if (isInteger && !this.#isInNumber(at)) {
      this.#at = at
      return this.#hashBytes(TAG.number, bytes, start, at)
    }
    while (this.#isInNumber(at)) at++
    this.#at = at
    const value = this.#parse(start, at)
    if (typeof value !== 'number') return
    const text = Buffer.from(Object.is(value, -0) ? '-0' : String(value))
    this.#hashBytes(TAG.number, text, 0, text.length)
  }

  #isInNumber(at: number): boolean {
    if (at >= this.#end) return false
    const byte = this.#bytes[at]!
    // Digits, sign, decimal point, exponent.
    return (
      (byte >= ZERO && byte <= NINE) ||
      byte === 0x2e ||
      byte === 0x2b ||
      byte === MINUS ||
      (byte | 32) === 0x65
    )
  }

  #array(depth: number): void {
    let low = this.#seed ^ TAG.array
    let high = ~this.#seed ^ TAG.array
    this.#at++
    this.#skipSpace()
    if (this.#bytes[this.#at] === CLOSE_BRACKET && this.#at < this.#end) this.#at++
    else
      for (;;) {
        this.#value(depth + 1)
        if (!this.#isValid) return
        low = mix(low, this.low)
        high = mix(high, this.high)
        if (!this.#continues(CLOSE_BRACKET)) break
      }
    this.#finish(low, high)
  }

  /** A sum, so that the order of the members does not matter. */
  #object(depth: number): void {
    let low = this.#seed ^ TAG.object
    let high = ~this.#seed ^ TAG.object
    this.#at++
    this.#skipSpace()
    if (this.#bytes[this.#at] === CLOSE_BRACE && this.#at < this.#end) this.#at++
    else
      for (;;) {
        this.#skipSpace()
        if (this.#at >= this.#end || this.#bytes[this.#at] !== QUOTE) {
          this.#isValid = false
          return
        }
        this.#string()
        const keyLow = this.low
        const keyHigh = this.high
        this.#skipSpace()
        if (this.#at >= this.#end || this.#bytes[this.#at++] !== COLON) this.#isValid = false
        if (!this.#isValid) return
        this.#value(depth + 1)
        if (!this.#isValid) return
        this.#finish(mix(keyLow ^ TAG.member, this.low), mix(keyHigh ^ TAG.member, this.high))
        low = (low + this.low) | 0
        high = (high + this.high) | 0
        if (!this.#continues(CLOSE_BRACE)) break
      }
    this.#finish(low, high)
  }

  /** After an element: whether there is another one. */
  #continues(close: number): boolean {
    this.#skipSpace()
    const byte = this.#at < this.#end ? this.#bytes[this.#at++] : 0
    if (byte !== COMMA && byte !== close) this.#isValid = false
    return byte === COMMA
  }

  #literal(): void {
    const bytes = this.#bytes
    const start = this.#at
    for (const literal of LITERALS) {
      if (start + literal.length > this.#end || !literal.every((byte, i) => bytes[start + i] === byte))
        continue
      this.#at = start + literal.length
      return this.#hashBytes(TAG.literal, literal, 0, literal.length)
    }
    this.#isValid = false
  }

  #parse(from: number, to: number): unknown {
    try {
      return JSON.parse(Buffer.from(this.#bytes.subarray(from, to)).toString())
    } catch {
      this.#isValid = false
      return undefined
    }
  }

  #skipSpace(): void {
    const bytes = this.#bytes
    while (this.#at < this.#end) {
      const byte = bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at++
    }
  }

  #hashBytes(tag: number, bytes: Uint8Array, from: number, to: number): void {
    let low = this.#seed ^ tag
    let high = ~this.#seed ^ tag
    let at = from
    for (; at + 4 <= to; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      low = mix(low, word)
      high = Math.imul(high ^ word, 0x9e3779b1)
      high = (high << 11) | (high >>> 21)
    }
    for (; at < to; at++) {
      low = mix(low, bytes[at]!)
      high = Math.imul(high ^ bytes[at]!, 0x9e3779b1)
      high = (high << 11) | (high >>> 21)
    }
    this.#finish(low, high ^ Math.imul(to - from, 0x165667b1))
  }

  #finish(low: number, high: number): void {
    this.low = avalanche(low ^ Math.imul(high, 0x27d4eb2f))
    this.high = avalanche(high + Math.imul(this.low, 0x85ebca6b))
  }

  /** Of an array, from the hashes of its elements: `hashElements` hashes each and calls the function it gets. */
  array(hashElements: (added: () => void) => void): void {
    let low = this.#seed ^ TAG.array
    let high = ~this.#seed ^ TAG.array
    hashElements(() => {
      low = mix(low, this.low)
      high = mix(high, this.high)
    })
    this.#finish(low, high)
  }
}

/** As in MurmurHash3. */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  const h = hash ^ Math.imul(k, 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

export function avalanche(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
