// Puts settled ranges into delivery order: input order, or as they came. Holds ranges, never single items, and finds
// each in constant time however many wait. Knows no policy.
import type { Settled } from '../model.js'

export interface Reorder {
  push(settled: Settled): void
  /** The next range whose turn has come. */
  shift(): Settled | undefined
  /** Nothing more will come: the ranges left, in order, over the gaps that cancelled items left. */
  drain(): Settled[]
}

const seqOf = ({ chunk, from }: Settled) => chunk.seq + from

export function inputOrder(): Reorder {
  const waiting = new Map<number, Settled>()
  let next = 0
  return {
    push: (settled) => void waiting.set(seqOf(settled), settled),
    shift() {
      const settled = waiting.get(next)
      if (settled === undefined) return undefined
      waiting.delete(next)
      next += settled.count
      return settled
    },
    drain() {
      const left = [...waiting.values()].sort((a, b) => seqOf(a) - seqOf(b))
      waiting.clear()
      return left
    },
  }
}

export function completionOrder(): Reorder {
  let incoming: Settled[] = []
  let outgoing: Settled[] = []
  return {
    push: (settled) => void incoming.push(settled),
    shift() {
      if (outgoing.length === 0) {
        outgoing = incoming.reverse()
        incoming = []
      }
      return outgoing.pop()
    },
    drain() {
      const left = [...outgoing.reverse(), ...incoming]
      outgoing = []
      incoming = []
      return left
    },
  }
}
