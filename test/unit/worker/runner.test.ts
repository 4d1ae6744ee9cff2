import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createFlightRecordFile, FlightRecorder } from '../../../src/ipc/flight-recorder.js'
import type { ChunkMessage, ResultsMessage } from '../../../src/ipc/protocol.js'
import type { Calling, Payload, Results } from '../../../src/model.js'
import { createOutbox, type Outbox } from '../../../src/worker/outbox.js'
import { createRunner, type RunnerOptions } from '../../../src/worker/runner.js'
import { type Context, currentTask, installCurrentTask, type Task } from '../../../src/worker/task-context.js'

afterEach(() => {
  delete (globalThis as { [key: symbol]: unknown })[Symbol.for('poolrun.currentTask')]
})

let nextId = 1

interface ChunkOptions {
  readonly calling?: Calling
  readonly reply?: Results['kind']
  readonly index?: ChunkMessage['index']
  readonly attempt?: number
  readonly name?: string
  readonly timed?: boolean
}

function chunkOf(payload: Payload, count: number, options: ChunkOptions = {}): ChunkMessage {
  const {
    calling = 'item',
    reply = 'values',
    index = 0,
    attempt = 1,
    name = 'default',
    timed = false,
  } = options
  return {
    id: nextId++,
    task: { name, calling, reply, timed },
    count,
    index,
    attempt,
    recordEachItem: false,
    payload,
  }
}

const values = (list: readonly unknown[], options?: ChunkOptions) =>
  chunkOf({ kind: 'values', values: list }, list.length, options)

const text = (lines: string, count: number, options?: ChunkOptions) =>
  chunkOf({ kind: 'bytes', bytes: Buffer.from(lines), framing: 'ndjson' }, count, options)

interface SetUp extends Partial<Pick<RunnerOptions, 'concurrency' | 'onBegin'>> {
  readonly recorder?: FlightRecorder
  readonly tasks?: Record<string, Task>
}

function setUp(task: Task, { concurrency = 1, onBegin, tasks = {}, recorder }: SetUp = {}) {
  const settled: ResultsMessage[] = []
  const cancelled: number[] = []
  const send = async (ranges: readonly ResultsMessage[]) => void settled.push(...ranges)
  const outbox = createOutbox({ send, recorder })
  const runner = createRunner({
    concurrency,
    workerId: 4,
    outbox,
    callTask: installCurrentTask(concurrency),
    getTask: (name) => tasks[name] ?? task,
    onBegin,
    onCancelled: (ids) => void cancelled.push(...ids),
  })
  return {
    runner,
    settled,
    cancelled,
    async all(...chunks: ChunkMessage[]) {
      runner.run(chunks)
      await runner.idle()
      await outbox.flush()
      return settled
    },
  }
}

/** Values and failures of one chunk, each at its offset. */
function outcome(settled: readonly ResultsMessage[], id: number) {
  const ranges = settled.filter((range) => range.id === id)
  let next = 0
  const outcomes: unknown[] = []
  for (const { from, count, results, failures } of ranges) {
    expect(from, 'a gap, or an item twice').toBe(next)
    next += count
    if (results.kind === 'values') outcomes.push(...results.values)
    for (const { offset, failure } of failures)
      outcomes[offset] = failure.kind === 'error' ? failure.error : failure
  }
  return outcomes
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('timings', () => {
  test('a task that asks for them hears when each item began and how long it took', async () => {
    const before = Date.now()
    const { all } = setUp((n) => {
      for (const end = performance.now() + Number(n); performance.now() < end; );
      if (n === 3) throw new Error('three')
    })
    const ranges = await all(values([1, 3, 2], { timed: true }))
    const startedAt = ranges.flatMap(({ timings }) => [...timings!.startedAt])
    const ms = ranges.flatMap(({ timings }) => [...timings!.ms])
    expect(startedAt).toHaveLength(3)
    expect(startedAt[0]).toBeGreaterThanOrEqual(before - 1)
    for (const [place, least] of [1, 3, 2].entries()) expect(ms[place]).toBeGreaterThanOrEqual(least)
    expect(startedAt[1]! - startedAt[0]!).toBeGreaterThanOrEqual(ms[0]! - 0.01)
  })

  test('any other sends none', async () => {
    const { all } = setUp((n) => n)
    expect((await all(values([1])))[0]!.timings).toBeUndefined()
  })
})

describe('a task', () => {
  test('is called with its item and its context', async () => {
    const calls: [unknown, Context, number][] = []
    const { all } = setUp((...args) => void calls.push([args[0], args[1] as Context, args.length]))
    await all(values(['a', undefined], { index: 10, attempt: 3 }))
    expect(calls.map(([item, , arity]) => [item, arity])).toEqual([
      ['a', 2],
      [undefined, 2],
    ])
    expect(calls.map(([, context]) => context)).toMatchObject([
      { index: 10, attempt: 3, workerId: 4 },
      { index: 11, attempt: 3, workerId: 4 },
    ])
  })

  test('is told its index where the items of a chunk are not consecutive', async () => {
    const { all } = setUp((_item, context) => (context as Context).index)
    const chunk = values([0, 0, 0], { index: [3, 7, 8] })
    expect(outcome(await all(chunk), chunk.id)).toEqual([3, 7, 8])
  })

  test('is called with the elements of its item for starmap, and learns its context by currentTask()', async () => {
    const { all } = setUp((...args) => [...args, currentTask().index])
    const chunk = values([[1, 2], []], { calling: 'spread', index: 5 })
    expect(outcome(await all(chunk), chunk.id)).toEqual([[1, 2, 5], [6]])
  })

  test.each([1, 'ab', null, { length: 1 }])('for starmap refuses %j, which is no array', async (item) => {
    let calls = 0
    const { all } = setUp(() => calls++)
    const chunk = values([item, [1]], { calling: 'spread' })
    const [refused, next] = outcome(await all(chunk), chunk.id)
    expect(refused).toMatchObject({ type: 'error', name: 'TypeError' })
    expect(next).toBe(0)
    expect(calls).toBe(1)
  })

  test('is the export that its chunk names', async () => {
    const { all } = setUp(() => 'default', { tasks: { other: () => 'other' } })
    const chunks = [values([1]), values([1], { name: 'other' })]
    const settled = await all(...chunks)
    expect(chunks.flatMap(({ id }) => outcome(settled, id))).toEqual(['default', 'other'])
  })

  test('that gives a promise, or anything with a then, is awaited', async () => {
    // biome-ignore lint/suspicious/noThenProperty: what this is about
    const { all } = setUp((item) => ({ then: (resolve: (value: unknown) => void) => resolve([item]) }))
    const chunk = values([1, 2])
    expect(outcome(await all(chunk), chunk.id)).toEqual([[1], [2]])
  })

  test('runs one item after the other at a concurrency of one', async () => {
    let running = 0
    let most = 0
    const { all } = setUp(async () => {
      most = Math.max(most, ++running)
      await turn()
      running--
    })
    await all(values([1, 2]), values([3]))
    expect(most).toBe(1)
  })

  test('runs in as many chunks at once as the concurrency says, and no more', async () => {
    let running = 0
    let most = 0
    const { all } = setUp(
      async () => {
        most = Math.max(most, ++running)
        await turn()
        running--
      },
      { concurrency: 3 },
    )
    await all(...Array.from({ length: 7 }, () => values([1])))
    expect(most).toBe(3)
  })
})

describe('a failure', () => {
  const thrown = (how: () => unknown) => {
    const { all } = setUp((item) => (item === 1 ? how() : item))
    const chunk = values([0, 1, 2])
    return all(chunk).then((settled) => outcome(settled, chunk.id))
  }

  test.each([
    {
      how: 'an Error',
      make: () => new RangeError('no'),
      told: { type: 'error', name: 'RangeError', message: 'no' },
    },
    { how: 'undefined', make: () => undefined, told: { type: 'thrown', typeName: 'undefined' } },
    { how: 'null', make: () => null, told: { type: 'thrown', typeName: 'null' } },
    { how: 'a function', make: () => () => {}, told: { type: 'thrown', cloned: false } },
  ])('of one item, $how thrown or rejected, leaves the others alone', async ({ make, told }) => {
    for (const fail of [
      () => {
        throw make()
      },
      () => Promise.reject(make()),
    ]) {
      const outcomes = await thrown(fail)
      expect(outcomes).toHaveLength(3)
      expect([outcomes[0], outcomes[2]]).toEqual([0, 2])
      expect(outcomes[1]).toMatchObject(told)
    }
  })

  test('is what a then that cannot be read is', async () => {
    const outcomes = await thrown(() =>
      Object.defineProperty({}, 'then', {
        get() {
          throw new Error('no then')
        },
      }),
    )
    expect(outcomes[1]).toMatchObject({ message: 'no then' })
  })

  test('of an item that is no JSON does not call the task for it', async () => {
    const items: unknown[] = []
    const { all } = setUp((item) => items.push(item))
    const chunk = text('1\n{"a":\n3\n', 3)
    const outcomes = outcome(await all(chunk), chunk.id)
    expect(items).toEqual([1, 3])
    expect(outcomes[1]).toMatchObject({ kind: 'input' })
  })

  test('of a result that JSON cannot carry names the place', async () => {
    const { all } = setUp((item) => ({ a: [item === 1 ? 1n : item] }))
    const chunk = text('0\n1\n2\n', 3, { reply: 'json' })
    const settled = await all(chunk)
    expect(settled.flatMap(({ failures }) => failures)).toMatchObject([
      { offset: 1, failure: { kind: 'encoding', side: 'result', path: 'a[0]' } },
    ])
    const lines = settled.map(
      ({ results }) => results.kind === 'json' && Buffer.from(results.bytes).toString(),
    )
    expect(lines.join('')).toBe('{"a":[0]}\n{"a":[2]}\n')
  })

  test('a key __proto__ in an item is data', async () => {
    const { all } = setUp((item) => [
      Object.keys(item as object),
      Object.getPrototypeOf(item) === Object.prototype,
    ])
    const chunk = text('{"__proto__":{"a":1}}\n', 1)
    expect(outcome(await all(chunk), chunk.id)).toEqual([[['__proto__'], true]])
  })
})

describe('settled items', () => {
  test('leave one by one as soon as cheap items have turned slow', async () => {
    const { all, settled } = setUp((item) => {
      const until = performance.now() + (item as number)
      while (performance.now() < until);
    })
    await all(values(Array(200).fill(0)))
    const chunk = values([...Array(8).fill(0), 11, 11, 11, 11])
    await all(chunk)
    const from = settled.filter(({ id }) => id === chunk.id).map((range) => range.from)
    expect(from).toEqual(expect.arrayContaining([9, 10, 11]))
  })

  test('leave while a later item of their chunk still runs', async () => {
    const { runner, settled } = setUp((item) => (item === 1 ? new Promise(() => {}) : item))
    runner.run([values([0, 1])])
    while (settled.length === 0) await turn()
    expect(settled[0]).toMatchObject({ from: 0, count: 1 })
  })

  test('leave one by one where nothing can be written down: a death must not take them', async () => {
    const { runner, settled } = setUp((item) => item)
    runner.run([values([0, 1])])
    await turn()
    expect(settled.map(({ count }) => count)).toEqual([1, 1])
  })
})

describe('items too cheap to be written down', () => {
  const COUNT = 5_000

  /** Runs so many that most are run in the short loop; what `odd` items do is up to the test. */
  async function rushed(task: Task, reply: Results['kind'] = 'values', calling: Calling = 'item') {
    const ran: number[] = []
    const { all, settled } = setUp((...args) => {
      const { index } = currentTask()
      ran.push(index)
      return task(...args)
    })
    const items = [...Array(COUNT).keys()].map((n) => (calling === 'spread' ? [n] : n))
    const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('')
    const chunk =
      reply === 'json' ? text(lines, COUNT, { reply, calling }) : values(items, { reply, calling })
    await all(chunk)
    expect(ran).toEqual([...Array(COUNT).keys()])
    return { settled, chunk }
  }

  test.each<['values' | 'json', Calling]>([
    ['values', 'item'],
    ['values', 'spread'],
    ['json', 'item'],
    ['json', 'spread'],
  ])('give each its result, with %s and called with its %s', async (reply, calling) => {
    const { settled, chunk } = await rushed((n) => (n as number) * 2, reply, calling)
    const expected = [...Array(COUNT).keys()].map((n) => n * 2)
    if (reply === 'values') return expect(outcome(settled, chunk.id)).toEqual(expected)
    const lines = settled.map(({ results }) => (results.kind === 'json' ? Buffer.from(results.bytes) : ''))
    expect(lines.join('')).toBe(expected.map((n) => `${n}\n`).join(''))
  })

  test('fail, wait and are refused one by one, wherever they stand', async () => {
    const odd = (n: unknown) => {
      if ((n as number) % 7 === 3) throw new Error(`no ${n}`)
      if ((n as number) % 11 === 5) return Promise.resolve(`later ${n}`)
      if ((n as number) % 13 === 6) return { n: Number.NaN }
      return n
    }
    const { settled, chunk } = await rushed(odd, 'json')
    let next = 0
    for (const { from, count, failures, results } of settled.filter(({ id }) => id === chunk.id)) {
      expect(from).toBe(next)
      const lines = results.kind === 'json' ? Buffer.from(results.bytes).toString().split('\n') : []
      const failed = new Map(failures.map(({ offset, failure }) => [offset, failure.kind]))
      let line = 0
      for (let n = from; n < from + count; n++) {
        const kind = n % 7 === 3 ? 'error' : n % 11 !== 5 && n % 13 === 6 ? 'encoding' : undefined
        expect(failed.get(n), `item ${n}`).toBe(kind)
        if (kind === undefined) expect(lines[line++]).toBe(n % 11 === 5 ? `"later ${n}"` : `${n}`)
      }
      expect(lines.slice(line)).toEqual([''])
      next += count
    }
    expect(next).toBe(COUNT)
  })

  test('are written as they are when they are returned, whatever becomes of them', async () => {
    const shared = { n: 0 }
    const { settled } = await rushed(() => {
      shared.n++
      return shared
    }, 'json')
    const lines = settled.map(({ results }) => (results.kind === 'json' ? Buffer.from(results.bytes) : ''))
    expect(lines.join('').split('\n', COUNT).at(-1)).toBe(`{"n":${COUNT}}`)
    expect(lines.join('').startsWith('{"n":1}\n{"n":2}\n')).toBe(true)
  })

  test('leave no context behind', async () => {
    await rushed((n) => n)
    expect(() => currentTask()).toThrow(/outside/)
  })

  test('that are no JSON are bad alone', async () => {
    const { all } = setUp((item) => item)
    const lines = Array.from({ length: 300 }, (_, n) => (n % 50 === 49 ? '{"n":\n' : `${n}\n`))
    await all(text(lines.join(''), 300))
    const chunk = text(lines.join(''), 300)
    const results = outcome(await all(chunk), chunk.id)
    expect(results.filter((_, n) => n % 50 !== 49)).toEqual(
      [...Array(300).keys()].filter((n) => n % 50 !== 49),
    )
    expect(results[49]).toMatchObject({ kind: 'input' })
  })

  test('are no longer written down once some have shown it, in a chunk that began otherwise', async () => {
    const file = createFlightRecordFile()!
    const states: string[] = []
    const look = (n: unknown) => {
      if ((n as number) % 100 === 0) states.push(file.read().unrecorded.length > 0 ? 'blind' : 'written')
      return n
    }
    const { all } = setUp(look, { recorder: new FlightRecorder(file.fd) })
    const chunk = values([...Array(4_000).keys()])
    await all(chunk)
    file.close()
    expect(states[0]).toBe('written')
    expect(states.at(-1)).toBe('blind')
  })

  test("have begun no other while their results leave: a death then is nobody's", async () => {
    const file = createFlightRecordFile()!
    const recorder = new FlightRecorder(file.fd)
    const began: unknown[] = []
    const outbox: Outbox = createOutbox({
      recorder,
      async send() {
        // What the guard does when the job ends the process.
        outbox.pinpoint()
        began.push(...file.read().running)
      },
    })
    const runner = createRunner({
      concurrency: 1,
      workerId: 0,
      outbox,
      callTask: installCurrentTask(1),
      getTask: () => (n: unknown) => {
        for (const end = performance.now() + ((n as number) < 2_000 ? 0 : 12); performance.now() < end; );
      },
      onCancelled() {},
    })
    runner.run([values([...Array(2_010).keys()])])
    await runner.idle()
    file.close()
    expect(began).toEqual([])
  })

  test('and wait are timed to their end: what has turned slow is written down again', async () => {
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    onTestFinished(() => clock.mockRestore())
    const file = createFlightRecordFile()!
    const seen: { unrecorded: readonly number[]; running: number[] }[] = []
    const { all } = setUp(
      async (item) => {
        if (item === 'look') {
          const { unrecorded, running } = file.read()
          seen.push({ unrecorded, running: running.map(({ id }) => id) })
        }
        await undefined
        if (item === 'slow') now += 3
      },
      { recorder: new FlightRecorder(file.fd) },
    )
    await all(values(Array(300).fill('quick')))
    const blind = values(['look'])
    await all(blind)
    await all(values(Array(20).fill('slow')))
    const written = values(['look'])
    await all(written)
    file.close()
    expect(seen[0]!.unrecorded).toContain(blind.id)
    expect(seen[1]!.unrecorded).not.toContain(written.id)
    expect(seen[1]!.running).toEqual([written.id])
  })

  test('but for those of which it must be known', async () => {
    const file = createFlightRecordFile()!
    const { all } = setUp(
      (n) => {
        expect(file.read()).toMatchObject({ unrecorded: [], running: [{ offset: n }] })
        return n
      },
      { recorder: new FlightRecorder(file.fd) },
    )
    await all({ ...values([...Array(500).keys()]), recordEachItem: true })
    file.close()
  })
})

describe('a message', () => {
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  }

  test.each([
    ['a chunk of slow items', [Array(500).fill(2)]],
    ['a chunk whose items were cheap at first', [[...Array(600).fill(0), ...Array(500).fill(2)]]],
    ['chunk after chunk', Array.from({ length: 500 }, () => [2])],
  ])('is heard in the midst of %s, though everything is sent at once', async (_, lists) => {
    const { runner, settled, cancelled } = setUp((ms) => busy(ms as number))
    const chunks = lists.map((list) => values(list))
    // As a message would: in a turn of the event loop, while items run.
    setImmediate(() => setTimeout(() => runner.drain(), 30))
    runner.run(chunks)
    await runner.idle()
    const total = lists.flat().length
    const ran = settled.reduce((sum, { count }) => sum + count, 0)
    expect(ran).toBeGreaterThan(0)
    expect(ran).toBeLessThan(total - 300)
    expect(cancelled.length).toBeGreaterThan(0)
  })
})

describe('cancel', () => {
  test('aborts the signal of what runs, and says when it no longer does', async () => {
    const reasons: unknown[] = []
    const { runner, cancelled, settled } = setUp(
      (_item, context) =>
        new Promise((_resolve, reject) => {
          const { signal } = context as Context
          signal.addEventListener('abort', () => reject(reasons.push(signal.reason)))
        }),
    )
    const chunk = values([0, 1])
    runner.run([chunk])
    await turn()
    runner.cancel([chunk.id])
    expect(cancelled).toEqual([])
    await runner.idle()
    expect(reasons).toMatchObject([{ name: 'AbortError' }])
    expect(cancelled).toEqual([chunk.id])
    expect(settled).toEqual([])
  })

  test('drops what waits at once, and leaves the rest of the queue alone', async () => {
    const begun: unknown[] = []
    let release = (_value?: unknown) => {}
    const { runner, cancelled } = setUp((item) => {
      begun.push(item)
      return new Promise((resolve) => {
        release = resolve
      })
    })
    const chunks = [values(['a']), values(['b']), values(['c'])]
    runner.run(chunks)
    runner.cancel([chunks[1]!.id])
    expect(cancelled).toEqual([chunks[1]!.id])
    release()
    await turn()
    release()
    await runner.idle()
    expect(begun).toEqual(['a', 'c'])
  })

  test('of an item that does not listen lets it end, and starts no further one of its chunk', async () => {
    const begun: unknown[] = []
    let release = (_value?: unknown) => {}
    const { runner, cancelled, settled } = setUp((item) => {
      begun.push(item)
      return new Promise((resolve) => {
        release = resolve
      })
    })
    const chunk = values(['a', 'b'])
    runner.run([chunk])
    runner.cancel([chunk.id])
    release('late')
    await runner.idle()
    await turn()
    expect(begun).toEqual(['a'])
    expect(cancelled).toEqual([chunk.id])
    expect(settled).toEqual([])
  })

  test('of what is not there says nothing', () => {
    const { runner, cancelled } = setUp(() => {})
    runner.cancel([99_999])
    expect(cancelled).toEqual([])
  })
})

describe('abortAll', () => {
  test('tells whether something listens and deserves time', async () => {
    const { runner } = setUp(
      (item, context) => {
        if (item === 'listens') void (context as Context).signal
        return new Promise(() => {})
      },
      { concurrency: 2 },
    )
    expect(runner.abortAll()).toBe(false)
    runner.run([values(['deaf'])])
    await turn()
    expect(runner.abortAll()).toBe(false)
    runner.run([values(['listens'])])
    await turn()
    expect(runner.abortAll()).toBe(true)
  })

  test('starts nothing that was waiting', async () => {
    const begun: unknown[] = []
    const { runner } = setUp((item, context) => {
      begun.push(item)
      return new Promise((resolve) => (context as Context).signal.addEventListener('abort', resolve))
    })
    runner.run([values(['a']), values(['b'])])
    await turn()
    runner.abortAll()
    await runner.idle()
    expect(begun).toEqual(['a'])
  })
})

test('an item that ended in time but was written down too late lets nothing else begin: it all goes back', async () => {
  const file = createFlightRecordFile()!
  let now = 0
  const recorder = new FlightRecorder(file.fd, () => now)
  const begun: unknown[] = []
  const { runner, settled, cancelled } = setUp(
    (item) => {
      begun.push(item)
      if (item === 'slow') now = 200
    },
    { recorder },
  )
  const first = { ...values(['quick', 'slow', 'next']), recordEachItem: true, timeoutMs: 200 }
  const second = { ...values(['last']), recordEachItem: true, timeoutMs: 200 }
  runner.run([first, second])
  await runner.idle()
  expect(begun).toEqual(['quick', 'slow'])
  expect(outcome(settled, first.id)).toHaveLength(2)
  expect(cancelled.sort()).toEqual([first.id, second.id])
  file.close()
})

describe('the marker of output', () => {
  test('is written as each item begins, and last of all that none runs any more', async () => {
    const marks: unknown[] = []
    const { all } = setUp((item) => marks.push(`item ${item}`), { onBegin: (index) => marks.push(index) })
    await all(values(['a', 'b'], { index: 8 }))
    expect(marks.slice(0, 4)).toEqual([8, 'item a', 9, 'item b'])
    expect(new Set(marks.slice(4))).toEqual(new Set(['none']))
  })
})

test('idle resolves at once where nothing runs', async () => {
  await setUp(() => {}).runner.idle()
})
