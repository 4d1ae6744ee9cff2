// Puts settled ranges into delivery order: input order, or as they came. Holds ranges, never single items, and finds
// each in constant time however many wait. Knows no policy.
import type { SettledRange } from '../model.js'

export interface DeliveryOrder {
  push(settled: SettledRange): void
  /** The next range whose turn has come. */
  shift(): SettledRange | undefined
  /** There is one. */
  readonly ready: boolean
  /** Nothing more will come: the ranges left, in order, over the gaps that cancelled items left. */
  releaseRest(): SettledRange[]
}

const seqOf = ({ chunk, from }: SettledRange) => chunk.seq + from

/**
 * In a box that is emptied: each time a map makes itself a new table, the old one keeps what it held and a link to the
 * new one, and once one of them is old, all of that stays until the whole heap is collected.
 */
interface Box {
  settled: SettledRange | undefined
}

export function inputOrder(): DeliveryOrder {
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
    releaseRest() {
      const left = [...waiting.values()].flatMap(({ settled }) => settled ?? [])
      waiting.clear()
      return left.sort((a, b) => seqOf(a) - seqOf(b))
    },
  }
}

export function completionOrder(): DeliveryOrder {
  let incoming: SettledRange[] = []
  let outgoing: SettledRange[] = []
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
    releaseRest() {
      const left = [...outgoing.reverse(), ...incoming]
      outgoing = []
      incoming = []
      return left
    },
  }
}
