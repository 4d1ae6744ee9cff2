// Puts settled ranges into delivery order: input order, or as they came. Holds ranges, never single items, and finds
// each in constant time however many wait. Knows no policy.
import type { Settled } from '../model.js'

export interface Reorder {
  push(settled: Settled): void
  /** The next range whose turn has come. */
  shift(): Settled | undefined
  /** There is one. */
  readonly ready: boolean
  /** Nothing more will come: the ranges left, in order, over the gaps that cancelled items left. */
  drain(): Settled[]
}

const seqOf = ({ chunk, from }: Settled) => chunk.seq + from

/**
 * In a box that is emptied: each time a map makes itself a new table, the old one keeps what it held and a link to the
 * new one, and once one of them is old, all of that stays until the whole heap is collected.
 */
interface Box {
  settled: Settled | undefined
}

export function inputOrder(): Reorder {
  const waiting = new Map<number, Box>()
  let next = 0
  return {
    push: (settled) => void waiting.set(seqOf(settled), { settled }),
    shift() {
      const box = waiting.get(next)
      if (box?.settled === undefined) return undefined
      const { settled } = box
      box.settled = undefined
      waiting.delete(next)
      next += settled.count
      return settled
    },
    get ready() {
      return waiting.has(next)
    },
    drain() {
      const left = [...waiting.values()].flatMap(({ settled }) => settled ?? [])
      waiting.clear()
      return left.sort((a, b) => seqOf(a) - seqOf(b))
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
    get ready() {
      return outgoing.length > 0 || incoming.length > 0
    },
    drain() {
      const left = [...outgoing.reverse(), ...incoming]
      outgoing = []
      incoming = []
      return left
    },
  }
}
