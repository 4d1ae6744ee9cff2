// Faults that were mended once, or are of the kind, and a seed with which the simulator finds each of them.

export interface Fault {
  readonly name: string
  readonly file: string
  readonly search: string
  readonly replace: string
  readonly seed: number
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'items in a gap between two messages vanish',
    file: 'src/executor/scheduler/in-flight.ts',
    search: 'if (from > chunk.settled || count < 1 ||',
    replace: 'if (count < 1 ||',
    seed: 1764,
  },
  {
    name: 'what was sent and recorded settles twice',
    file: 'src/executor/scheduler/in-flight.ts',
    search: 'if (chunk === undefined || from < chunk.settled) return undefined',
    replace: 'if (chunk === undefined) return undefined',
    seed: 6,
  },
  {
    name: 'a consumer is not woken by what arrives',
    file: 'src/run/flow.ts',
    search: 'this.#order.push(kept)\n    this.#wakeConsumer()',
    replace: 'this.#order.push(kept)\n    if (!this.#order.hasNext) this.#wakeConsumer()',
    seed: 3,
  },
  {
    name: 'a source that waits for the window is not woken',
    file: 'src/policy/flow-window.ts',
    search: 'if (this.#full) return\n    this.#release?.()',
    replace: 'if (this.#full || items === 0) return\n    if (this.#items > 0) this.#release?.()',
    seed: 3,
  },
  {
    name: 'a range frees the room of one item',
    file: 'src/run/flow.ts',
    search: 'this.#window.delivered(settled.count, heldBytes(settled))',
    replace: 'this.#window.delivered(1, heldBytes(settled))',
    seed: 10,
  },
  {
    name: 'the window has room for more than its limit',
    file: 'src/policy/flow-window.ts',
    search: 'const items = Math.min(want.items, this.#limits.items - this.#items)',
    replace: 'const items = want.items',
    seed: 3,
  },
  {
    name: 'a timer that was replaced stays',
    file: 'src/executor/run-clock.ts',
    search: 'this.#timer?.cancel()',
    replace: '',
    seed: 1,
  },
  {
    name: 'a pause keeps a timer after the end',
    file: 'src/executor/scheduler/dispatcher.ts',
    search: 'now < pausedUntil && this.#calls.size > 0',
    replace: 'now < pausedUntil',
    seed: 45,
  },
  {
    name: 'a pause never ends',
    file: 'src/executor/scheduler/dispatcher.ts',
    search: 'earlierOf(earlierOf(this.#nextBeginAt, this.#pausedUntil), this.#takeBackAt)',
    replace: 'earlierOf(this.#nextBeginAt, this.#takeBackAt)',
    seed: 1948,
  },
  {
    name: 'a worker that has lost items is heard when it answers',
    file: 'src/executor/scheduler/work-inputs.ts',
    search: 'if (ids.length > 0) this.#workers.heard(state, now)',
    replace: 'this.#workers.heard(state, now)',
    seed: 133,
  },
  {
    name: 'returned items are requeued and stay in their chunk',
    file: 'src/executor/scheduler/in-flight.ts',
    search: 'chunk.pending = { ...pending, chunk: sliceChunk(pending.chunk, 0, count) }',
    replace: '',
    seed: 18,
  },
  {
    name: 'a chunk that was put back counts as in flight',
    file: 'src/executor/scheduler/calls.ts',
    search: 'call.inFlight--\n    call.ready.unshift(pending)',
    replace: 'call.ready.unshift(pending)',
    seed: 156,
  },
  {
    name: 'an item is retried after its call was cancelled',
    file: 'src/executor/scheduler/calls.ts',
    search:
      'if (call.isAborted || call.isDraining) return this.#discard(call, pending)\n    call.ready.push(pending)',
    replace: 'call.ready.push(pending)',
    seed: 30,
  },
  {
    name: 'a worker that terminates requeues what is judged at its exit',
    file: 'src/executor/scheduler/work-inputs.ts',
    search: "judged when it has exited.\n    if (worker.state.is !== 'ready') return",
    replace: '',
    seed: 12,
  },
  {
    name: 'the results in the record of a crashed worker are lost',
    file: 'src/executor/scheduler/scheduler.ts',
    search: 'this.#workInputs.settleRecorded(worker, exit.record?.outcomes ?? [], facts)',
    replace: '',
    seed: 6,
  },
  {
    name: 'the item that ran in a crashed worker runs again',
    file: 'src/executor/scheduler/crash.ts',
    search: 'const rest = Math.max(settled, last + 1)',
    replace: 'const rest = Math.max(settled, last)',
    seed: 6,
  },
  {
    name: 'a part that was requeued keeps the place of its chunk',
    file: 'src/policy/delivery-order.ts',
    search: 'return chunk.seq + from',
    replace: 'return chunk.seq',
    seed: 1,
  },
  {
    name: 'ranges are delivered in the order opposite to that in which they settled',
    file: 'src/policy/delivery-order.ts',
    search: 'this.#outgoing = this.#incoming.reverse()',
    replace: 'this.#outgoing = this.#incoming',
    seed: 6,
  },
  {
    name: 'an item that exceeds its time while others run is never ended',
    file: 'src/executor/scheduler/worker.ts',
    search: 'state.endBy ?? state.inFlight.expiredBy',
    replace: 'state.inFlight.expiredBy',
    seed: 9,
  },
  {
    name: 'a call ends although results wait for their hook',
    file: 'src/run/flow.ts',
    search: '.then(() => this.#hooks?.idle)',
    replace: '',
    seed: 14,
  },
  {
    name: 'a writer that waits for a reader that leaves is not woken',
    file: 'src/write/output.ts',
    search:
      'this.#resolveFailed(error)\n    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)',
    replace: '',
    seed: 17,
  },
  {
    name: 'parts of the output are written in the wrong order',
    file: 'src/write/output.ts',
    search: 'Buffer.concat(parts, size)',
    replace: 'Buffer.concat(parts.reverse(), size)',
    seed: 6,
  },
  {
    name: 'a result is delivered before it is in the journal',
    file: 'src/run/resume.ts',
    search: '              options.write(settled)\n              return onSettled(settled)',
    replace: '              onSettled(settled)\n              return options.write(settled)',
    seed: 106,
  },
  {
    name: 'what the journal could not take counts as settled',
    file: 'src/run/resume.ts',
    search: '            source.error = { error }\n            canceller.abort(error)',
    replace:
      '            source.error = { error }\n            canceller.abort(error)\n            return onSettled(settled)',
    seed: 1144,
  },
  {
    name: 'a torn line counts as a whole one',
    file: 'src/journal/reader.ts',
    search: 'this.isTorn = this.#isDamaged || this.#carried > 0',
    replace: 'this.isTorn = this.#isDamaged',
    seed: 189,
  },
  {
    name: 'a damaged line in the middle is skipped',
    file: 'src/journal/reader.ts',
    search:
      "    if (this.#isDamaged) throw new UnreadableJournal({ kind: 'damaged', line: this.#line })\n    this.#line++",
    replace: '    this.#line++',
    seed: 106,
  },
  {
    name: 'the first event of an item counts, and not the latest',
    file: 'src/journal/key-table.ts',
    search: '    places[slot] = event',
    replace: '    if (places[slot] === 0) places[slot] = event',
    seed: 111,
  },
  {
    name: 'the second of equal items counts as the first',
    file: 'src/journal/key-table.ts',
    search: 'this.#repeats.get(key) ?? 1',
    replace: 'this.#repeats.get(key) ?? 0',
    seed: 106,
  },
  {
    name: 'items that the journal has are not counted among equal ones',
    file: 'src/journal/key-table.ts',
    search: '      } else if (known !== undefined && known.seen[slot] === 0) {\n        known.seen[slot] = 1',
    replace: '      } else if (known !== undefined && known.seen[slot] === 0) {',
    seed: 106,
  },
  {
    name: 'a failure in the journal is given back as if it were a value',
    file: 'src/journal/journal.ts',
    search: 'return event > 0 || (event < 0 && this.keepsFailures)',
    replace: 'return event !== 0',
    seed: 106,
  },
  {
    name: 'a part of a chunk has the keys of its beginning',
    file: 'src/framing/slice.ts',
    search: 'keys.subarray(from * each, Math.min(to, count) * each)',
    replace: 'keys.subarray(0, (Math.min(to, count) - from) * each)',
    seed: 106,
  },
  {
    name: 'items between finished ones are taken as finished',
    file: 'src/run/resume.ts',
    search: 'while (to < chunk.count && journal.isSettled(events[to]!) === isSettled) to++',
    replace: 'while (to < chunk.count && (isSettled || !journal.isSettled(events[to]!))) to++',
    seed: 106,
  },
]
