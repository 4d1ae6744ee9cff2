import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { createFlightRecordFile } from '../../../src/ipc/flight-recorder/file.js'
import { FlightRecorder } from '../../../src/ipc/flight-recorder/writer.js'
import { Outbox } from '../../../src/worker/outbox.js'
import { Runner } from '../../../src/worker/runner.js'
import { type Context, currentTask, installCurrentTask } from '../../../src/worker/task-context.js'
import { chunkOfText, chunkOfValues, FakeClock, linesOf, outcomesOf, setUpRunner, turn } from './support.js'

afterEach(() => {
  delete (globalThis as { [key: symbol]: unknown })[Symbol.for('poolrun.currentTask')]
})

/** Items are what they take, in ms. */
function setUpSpendingRunner() {
  const clock = new FakeClock()
  return setUpRunner((ms) => clock.spend(ms as number), { clock })
}

describe('timings', () => {
  test('say when each item started and how long it took, where the task asks for them', async () => {
    const clock = new FakeClock()
    const { runAll } = setUpRunner(
      (ms) => {
        clock.spend(ms as number)
        if (ms === 3) throw new Error('three')
      },
      { clock },
    )
    const sent = await runAll(chunkOfValues([1, 3, 2], { timed: true }))
    const startedAt = sent.flatMap(({ timings }) => [...timings!.startedAt])
    expect(startedAt).toEqual([0, 1, 4].map((ms) => performance.timeOrigin + ms))
    expect(sent.flatMap(({ timings }) => [...timings!.ms])).toEqual([1, 3, 2])
  })

  test('leave out when each item started, where the task wants only durations', async () => {
    const { runAll } = setUpSpendingRunner()
    const sent = await runAll(chunkOfValues([1, 3, 2], { timed: 'durations' }))
    expect(sent.flatMap(({ timings }) => [...timings!.startedAt])).toEqual([])
    expect(sent.flatMap(({ timings }) => [...timings!.ms])).toEqual([1, 3, 2])
  })

  test('include an item that is not JSON, which takes no time', async () => {
    const clock = new FakeClock()
    const { runAll } = setUpRunner((ms) => clock.spend(ms as number), { clock })
    const sent = await runAll(chunkOfText('1\n{\n2\n', 3, { timed: true }))
    expect(sent.flatMap(({ timings }) => [...timings!.ms])).toEqual([1, 0, 2])
  })

  test('are not sent where the task does not ask for them', async () => {
    const { runAll } = setUpRunner((n) => n)
    expect((await runAll(chunkOfValues([1])))[0]!.timings).toBeUndefined()
  })
})

describe('a task', () => {
  test('is called with its item and its context', async () => {
    const calls: [unknown, Context, number][] = []
    const { runAll } = setUpRunner((...args) => void calls.push([args[0], args[1] as Context, args.length]))
    await runAll(chunkOfValues(['a', undefined], { index: 10, attempt: 3 }))
    expect(calls.map(([item, , arity]) => [item, arity])).toEqual([
      ['a', 2],
      [undefined, 2],
    ])
    expect(calls.map(([, context]) => context)).toMatchObject([
      { index: 10, attempt: 3, workerId: 4 },
      { index: 11, attempt: 3, workerId: 4 },
    ])
  })

  test('receives the index of its item where those of a chunk are not consecutive', async () => {
    const { runAll } = setUpRunner((_item, context) => (context as Context).index)
    const chunk = chunkOfValues([0, 0, 0], { index: [3, 7, 8] })
    expect(outcomesOf(await runAll(chunk), chunk.id)).toEqual([3, 7, 8])
  })

  test('is called with the elements of its item for starmap, and gets its context from currentTask()', async () => {
    const { runAll } = setUpRunner((...args) => [...args, currentTask().index])
    const chunk = chunkOfValues([[1, 2], []], { calling: 'spread', index: 5 })
    expect(outcomesOf(await runAll(chunk), chunk.id)).toEqual([[1, 2, 5], [6]])
  })

  test.each([1, 'ab', null, { length: 1 }])(
    'is not called for starmap with %j, which is not an array',
    async (item) => {
      let calls = 0
      const { runAll } = setUpRunner(() => calls++)
      const chunk = chunkOfValues([item, [1]], { calling: 'spread' })
      const [refused, next] = outcomesOf(await runAll(chunk), chunk.id)
      expect(refused).toMatchObject({ type: 'error', name: 'TypeError' })
      expect(next).toBe(0)
      expect(calls).toBe(1)
    },
  )

  test('is the export that its chunk names', async () => {
    const { runAll } = setUpRunner(() => 'default', { tasks: { other: () => 'other' } })
    const chunks = [chunkOfValues([1]), chunkOfValues([1], { name: 'other' })]
    const sent = await runAll(...chunks)
    expect(chunks.flatMap(({ id }) => outcomesOf(sent, id))).toEqual(['default', 'other'])
  })

  test('that returns a promise, or anything with a then, is awaited', async () => {
    // biome-ignore lint/suspicious/noThenProperty: what this is about
    const thenable = (item: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve([item]) })
    const { runAll } = setUpRunner(thenable)
    const chunk = chunkOfValues([1, 2])
    expect(outcomesOf(await runAll(chunk), chunk.id)).toEqual([[1], [2]])
  })

  test('runs one item after the other at a concurrency of one', async () => {
    let running = 0
    let most = 0
    const { runAll } = setUpRunner(async () => {
      most = Math.max(most, ++running)
      await turn()
      running--
    })
    await runAll(chunkOfValues([1, 2]), chunkOfValues([3]))
    expect(most).toBe(1)
  })

  test('runs in as many chunks at the same time as the concurrency says', async () => {
    let running = 0
    let most = 0
    const { runAll } = setUpRunner(
      async () => {
        most = Math.max(most, ++running)
        await turn()
        running--
      },
      { concurrency: 3 },
    )
    await runAll(...Array.from({ length: 7 }, () => chunkOfValues([1])))
    expect(most).toBe(3)
  })
})

describe('a failure', () => {
  const outcomesWhereItem1 = async (fails: () => unknown) => {
    const { runAll } = setUpRunner((item) => (item === 1 ? fails() : item))
    const chunk = chunkOfValues([0, 1, 2])
    return outcomesOf(await runAll(chunk), chunk.id)
  }

  test.each([
    {
      how: 'an Error',
      make: () => new RangeError('no'),
      data: { type: 'error', name: 'RangeError', message: 'no' },
    },
    { how: 'undefined', make: () => undefined, data: { type: 'thrown', typeName: 'undefined' } },
    { how: 'null', make: () => null, data: { type: 'thrown', typeName: 'null' } },
    { how: 'a function', make: () => () => {}, data: { type: 'thrown', cloned: false } },
  ])('of one item, by $how thrown or rejected, leaves the others alone', async ({ make, data }) => {
    for (const fail of [
      () => {
        throw make()
      },
      () => Promise.reject(make()),
    ]) {
      const outcomes = await outcomesWhereItem1(fail)
      expect(outcomes).toHaveLength(3)
      expect([outcomes[0], outcomes[2]]).toEqual([0, 2])
      expect(outcomes[1]).toMatchObject(data)
    }
  })

  test('is what a result becomes whose then cannot be read', async () => {
    const outcomes = await outcomesWhereItem1(() =>
      Object.defineProperty({}, 'then', {
        get() {
          throw new Error('no then')
        },
      }),
    )
    expect(outcomes[1]).toMatchObject({ message: 'no then' })
  })

  test('of an item that is not JSON does not call the task for it', async () => {
    const items: unknown[] = []
    const { runAll } = setUpRunner((item) => items.push(item))
    const chunk = chunkOfText('1\n{"a":\n3\n', 3)
    const outcomes = outcomesOf(await runAll(chunk), chunk.id)
    expect(items).toEqual([1, 3])
    expect(outcomes[1]).toMatchObject({ kind: 'input' })
  })

  test('of a result that JSON cannot carry names the path in it', async () => {
    const { runAll } = setUpRunner((item) => ({ a: [item === 1 ? 1n : item] }))
    const sent = await runAll(chunkOfText('0\n1\n2\n', 3, { reply: 'json' }))
    expect(sent.flatMap(({ failures }) => failures)).toMatchObject([
      { offset: 1, failure: { kind: 'encoding', side: 'result', path: 'a[0]' } },
    ])
    expect(linesOf(sent)).toBe('{"a":[0]}\n{"a":[2]}\n')
  })
})

test('a key __proto__ in an item is data', async () => {
  const { runAll } = setUpRunner((item) => [
    Object.keys(item as object),
    Object.getPrototypeOf(item) === Object.prototype,
  ])
  const chunk = chunkOfText('{"__proto__":{"a":1}}\n', 1)
  expect(outcomesOf(await runAll(chunk), chunk.id)).toEqual([[['__proto__'], true]])
})

describe('settled items', () => {
  test('are sent one by one as soon as cheap items have turned slow', async () => {
    const { runAll, sent } = setUpSpendingRunner()
    await runAll(chunkOfValues(Array(200).fill(0)))
    const chunk = chunkOfValues([...Array(8).fill(0), 11, 11, 11, 11])
    await runAll(chunk)
    const from = sent.filter(({ id }) => id === chunk.id).map((message) => message.from)
    expect(from).toEqual([0, 9, 10, 11])
  })

  test('are sent after 10 ms while a later item of their chunk still runs', async () => {
    const { runner, runAll, sent, clock } = setUpRunner(
      (item) => (item === 1 ? new Promise(() => {}) : item),
      { recorder: recorderOf().recorder },
    )
    await runAll(chunkOfValues(Array(20).fill(0)))
    sent.length = 0
    runner.run([chunkOfValues([0, 1])])
    await turn()
    clock.advance(9)
    expect(sent).toEqual([])
    clock.advance(1)
    expect(sent).toMatchObject([{ from: 0, count: 1 }])
  })

  test.each([
    ['of the same chunk', [[0, 1]]],
    ['of the next chunk', [[0], [1]]],
  ])('are sent before an item %s starts that may take long', async (_, lists) => {
    const sentBefore: number[] = []
    const { runAll, sent } = setUpRunner(
      (item) => {
        if (item === 1) sentBefore.push(sent.length)
        return item
      },
      { recorder: recorderOf().recorder },
    )
    await runAll(...lists.map((list) => chunkOfValues(list)))
    expect(sentBefore).toEqual([1])
  })

  test.each([
    ['of the same chunk', [[0, 1]]],
    ['of the next chunk', [[0], [1]]],
  ])('that are too large to be recorded have left before an item %s starts', async (_, lists) => {
    const started: unknown[] = []
    let left = () => {}
    const send = () =>
      new Promise<void>((resolve) => {
        left = resolve
      })
    const { recorder } = recorderOf()
    const clock = new FakeClock()
    const outbox = new Outbox({ send, recorder, clock })
    const runner = new Runner({
      concurrency: 1,
      workerId: 0,
      outbox,
      recorder,
      clock,
      callTask: installCurrentTask(1),
      getTask: () => (item) => {
        started.push(item)
        return 'x'.repeat(3_000_000)
      },
      onCancelled() {},
      onReturned() {},
    })
    runner.run(lists.map((list) => chunkOfValues(list)))
    await turn()
    expect(started).toEqual([0])
    left()
    await turn()
    expect(started).toEqual([0, 1])
  })

  test('are sent one by one where they cannot be recorded: a crash must not lose them', async () => {
    const { runner, sent } = setUpRunner((item) => item)
    runner.run([chunkOfValues([0, 1])])
    await turn()
    expect(sent.map(({ count }) => count)).toEqual([1, 1])
  })
})

describe('items that settle in one turn of the event loop, while others wait', () => {
  /** Four lanes, and 16 items before that make the task known as one that does not block. */
  async function setUpWaiting() {
    const ends: (() => void)[] = []
    const clock = new FakeClock()
    const world = setUpRunner(
      (item) => (item === 'waits' ? new Promise<void>((end) => ends.push(end)) : item),
      {
        concurrency: 4,
        recorder: recorderOf().recorder,
        clock,
      },
    )
    await world.runAll(...Array.from({ length: 20 }, () => chunkOfValues([0])))
    world.sent.length = 0
    world.runner.run(Array.from({ length: 4 }, () => chunkOfValues(['waits'])))
    /** Their promises resolve, and what awaits them runs. */
    async function endSome(count: number) {
      for (const end of ends.splice(0, count)) end()
      for (let n = 0; n < 10; n++) await undefined
    }
    return { ...world, endSome }
  }

  test('share a message', async () => {
    const { endSome, sent, clock } = await setUpWaiting()
    await endSome(3)
    expect(sent).toEqual([])
    await turn()
    expect(sent).toHaveLength(3)
    clock.advance(10)
    expect(sent).toHaveLength(3)
  })

  test('are sent one by one again after an item that blocked behind its promise', async () => {
    const { endSome, sent, clock, runner } = await setUpWaiting()
    await endSome(1)
    clock.spend(11)
    await turn()
    expect(sent).toHaveLength(1)
    runner.run([chunkOfValues(['waits'])])
    await endSome(1)
    expect(sent).toHaveLength(2)
  })
})

describe('items behind one that waits, while a lane is idle', () => {
  test('go back to the parent after a turn of the event loop, those that wait do not', async () => {
    const { runner, returned } = setUpRunner(() => new Promise(() => {}), { concurrency: 3 })
    const chunks = [chunkOfValues([1, 2, 3]), chunkOfValues([4])]
    runner.run(chunks)
    expect(returned).toEqual([])
    await turn()
    expect(returned).toEqual([{ kept: { [chunks[0]!.id]: 1 }, waits: true }])
    await turn()
    expect(returned).toHaveLength(1)
  })

  test('stay where each lane has an item', async () => {
    const { runner, returned } = setUpRunner(() => new Promise(() => {}), { concurrency: 2 })
    runner.run([chunkOfValues([1, 2]), chunkOfValues([3, 4])])
    await turn()
    expect(returned).toEqual([])
  })

  test('go back when another lane has become idle', async () => {
    let end = () => {}
    const { runner, returned } = setUpRunner(
      (item) =>
        new Promise<void>((resolve) => {
          if (item === 3) end = resolve
        }),
      { concurrency: 2, recorder: recorderOf().recorder },
    )
    const chunk = chunkOfValues([1, 2])
    runner.run([chunk, chunkOfValues([3])])
    await turn()
    end()
    await turn()
    await turn()
    expect(returned).toEqual([{ kept: { [chunk.id]: 1 }, waits: true }])
  })

  test('stay where their promises are trivial', async () => {
    const { runAll, returned, sent } = setUpRunner(async (item) => item, { concurrency: 3 })
    const chunk = chunkOfValues(Array(500).fill(1))
    await runAll(chunk)
    expect(outcomesOf(sent, chunk.id)).toHaveLength(500)
    expect(returned).toEqual([])
  })
})

describe('chunks of small calls', () => {
  function setUpBlocking(concurrency = 1) {
    const clock = new FakeClock()
    const order: unknown[] = []
    const world = setUpRunner(
      (item) => {
        order.push(item)
        clock.spend(3)
        return item
      },
      { clock, concurrency, recorder: recorderOf().recorder },
    )
    return { ...world, order }
  }
  const small = (item: unknown) => chunkOfValues([item], { isSmall: true })

  test('run between two items of another chunk, and are sent before its next one starts', async () => {
    const { runner, order, sent } = setUpBlocking()
    runner.run([chunkOfValues([1, 2, 3])])
    runner.run([small('a'), small('b')])
    await runner.idle()
    expect(order).toEqual([1, 'a', 'b', 2, 3])
    expect(sent.map(({ results }) => results.kind === 'values' && results.values)).toEqual([
      [1],
      ['a'],
      ['b'],
      [2],
      [3],
    ])
  })

  test('let one item of the other chunk run before those that arrive meanwhile', async () => {
    const order: unknown[] = []
    const clock = new FakeClock()
    const { runner } = setUpRunner(
      (item) => {
        order.push(item)
        clock.spend(3)
        if (item === 'a') runner.run([small('b')])
        if (item === 'b') runner.run([small('c')])
      },
      { clock, recorder: recorderOf().recorder },
    )
    runner.run([chunkOfValues([1, 2, 3])])
    runner.run([small('a')])
    await runner.idle()
    expect(order).toEqual([1, 'a', 2, 'b', 3, 'c'])
  })

  test('run after each other where there is nothing else', async () => {
    const { runner, order } = setUpBlocking()
    runner.run([small('a'), small('b'), small('c')])
    await runner.idle()
    expect(order).toEqual(['a', 'b', 'c'])
  })

  test('are returned, cancelled and dropped as others are', async () => {
    const { runner, order, returned, cancelled } = setUpBlocking()
    runner.run([chunkOfValues([1, 2])])
    const chunks = [small('a'), small('b')]
    runner.run(chunks)
    runner.cancel([chunks[0]!.id])
    expect(cancelled).toEqual([chunks[0]!.id])
    runner.returnUnstarted()
    expect(returned[0]!.kept).toMatchObject({ [chunks[1]!.id]: 0 })
    await runner.idle()
    expect(order).toEqual([1])
  })
})

describe('a failure that settles while other chunks are queued', () => {
  test('is sent immediately, because the parent may stop everything for it', async () => {
    const { runner, sent } = setUpRunner(
      (item) => {
        if (item === 'fails') throw new Error('no')
        return new Promise(() => {})
      },
      { recorder: recorderOf().recorder },
    )
    const chunk = chunkOfValues(['fails'])
    runner.run([chunk, chunkOfValues(['never ends'])])
    await turn()
    expect(sent.map(({ id }) => id)).toEqual([chunk.id])
  })
})

describe('cheap chunks that arrive in one message', () => {
  async function setUpWithTwo() {
    const { recorder, read } = recorderOf()
    const setUp = setUpRunner((item) => (item === 'never ends' ? new Promise(() => {}) : item), { recorder })
    await setUp.runAll(chunkOfValues(Array(16).fill('cheap')))
    const chunks = [chunkOfValues(['cheap', 'never ends']), chunkOfValues(['queued'])]
    setUp.runner.run(chunks)
    return { ...setUp, read, ids: chunks.map(({ id }) => id) }
  }

  test('are announced as unrecorded together, before the last one starts', async () => {
    const { read, ids } = await setUpWithTwo()
    expect(read()).toMatchObject({ running: [], unrecorded: ids })
  })

  test('are recorded, the queued one too, before an exit that the process sees coming', async () => {
    const { runner, outbox, read, ids } = await setUpWithTwo()
    void outbox.flush()
    runner.recordEverything()
    expect(read()).toMatchObject({ running: [{ id: ids[0], offset: 1 }], unrecorded: [] })
  })
})

describe('a task that returns to the event loop', () => {
  test.each([
    ['is marked beside others', 2, 1_000, true],
    ['without a time limit is not marked', 2, undefined, false],
    ['is not marked where one item runs at a time', 1, 1_000, false],
  ])('%s', async (_, concurrency, timeoutMs, isMarked) => {
    const { recorder, read } = recorderOf()
    const { runner } = setUpRunner(() => new Promise(() => {}), { recorder, concurrency })
    const limit = timeoutMs === undefined ? {} : { timeoutMs }
    runner.run([chunkOfValues(['never ends'], { ...limit, recordEachItem: true })])
    await turn()
    const [running] = read().running
    expect(running).toMatchObject({ offset: 0 })
    expect(running?.isSuspended === true).toBe(isMarked)
  })

  test('is not marked while it is on the stack', () => {
    const { recorder, read } = recorderOf()
    let seen: unknown
    const task = (item: unknown) => {
      if (item === 'second') seen = read().running.map(({ isSuspended }) => isSuspended === true)
      return new Promise(() => {})
    }
    const { runner } = setUpRunner(task, { recorder, concurrency: 2 })
    const options = { timeoutMs: 1_000, recordEachItem: true }
    runner.run(['first', 'second'].map((item) => chunkOfValues([item], options)))
    expect(seen).toEqual([true, false])
  })
})

function recorderOf(now?: () => number) {
  const file = createFlightRecordFile()!
  onTestFinished(() => file.close())
  return { recorder: new FlightRecorder(file.fd, { now }), read: () => file.read()! }
}

describe('a message', () => {
  test.each([
    ['a chunk of slow items', [Array(500).fill(2)]],
    ['a chunk whose items were cheap at first', [[...Array(600).fill(0), ...Array(500).fill(2)]]],
    ['chunk after chunk', Array.from({ length: 500 }, () => [2])],
  ])('is received in the middle of %s', async (_, lists) => {
    const { runner, sent, returned } = setUpSpendingRunner()
    const chunks = lists.map((list) => chunkOfValues(list))
    // As a message would arrive: in a turn of the event loop, while items run.
    setImmediate(() => runner.returnUnstarted())
    runner.run(chunks)
    await runner.idle()
    const total = lists.flat().length
    const ran = sent.reduce((sum, { count }) => sum + count, 0)
    expect(ran).toBeGreaterThan(0)
    expect(ran).toBeLessThan(total - 300)
    expect(returned).toMatchObject([{ waits: false }])
  })
})

describe('cancel', () => {
  test('aborts the signal of what runs, and reports the chunk once nothing of it runs', async () => {
    const reasons: unknown[] = []
    const { runner, cancelled, sent } = setUpRunner(
      (_item, context) =>
        new Promise((_resolve, reject) => {
          const { signal } = context as Context
          signal.addEventListener('abort', () => reject(reasons.push(signal.reason)))
        }),
    )
    const chunk = chunkOfValues([0, 1])
    runner.run([chunk])
    await turn()
    runner.cancel([chunk.id])
    expect(cancelled).toEqual([])
    await runner.idle()
    expect(reasons).toMatchObject([{ name: 'AbortError' }])
    expect(cancelled).toEqual([chunk.id])
    expect(sent).toEqual([])
  })

  test('drops a queued chunk immediately, and leaves the rest of the queue alone', async () => {
    const started: unknown[] = []
    let release = (_value?: unknown) => {}
    const { runner, cancelled } = setUpRunner((item) => {
      started.push(item)
      return new Promise((resolve) => {
        release = resolve
      })
    })
    const chunks = [chunkOfValues(['a']), chunkOfValues(['b']), chunkOfValues(['c'])]
    runner.run(chunks)
    runner.cancel([chunks[1]!.id])
    expect(cancelled).toEqual([chunks[1]!.id])
    release()
    await turn()
    release()
    await runner.idle()
    expect(started).toEqual(['a', 'c'])
  })

  test('lets an item finish that does not listen to its signal, and starts no other of its chunk', async () => {
    const started: unknown[] = []
    let release = (_value?: unknown) => {}
    const { runner, cancelled, sent } = setUpRunner((item) => {
      started.push(item)
      return new Promise((resolve) => {
        release = resolve
      })
    })
    const chunk = chunkOfValues(['a', 'b'])
    runner.run([chunk])
    runner.cancel([chunk.id])
    release('late')
    await runner.idle()
    await turn()
    expect(started).toEqual(['a'])
    expect(cancelled).toEqual([chunk.id])
    expect(sent).toEqual([])
  })

  test.each(['cancel', 'abortAll'] as const)(
    '%s reports how many items of a chunk have begun',
    async (how) => {
      const releases: (() => void)[] = []
      const { runner, begun } = setUpRunner(() => new Promise<void>((resolve) => releases.push(resolve)))
      const [first, second] = [chunkOfValues(['a', 'b', 'c', 'd']), chunkOfValues(['e', 'f'])]
      runner.run([first, second])
      releases[0]!()
      await turn()
      // The second item runs.
      if (how === 'cancel') runner.cancel([first.id, second.id])
      else runner.abortAll('why')
      releases[1]!()
      await runner.idle()
      expect([begun.get(first.id), begun.get(second.id)]).toEqual([2, 0])
    },
  )

  test('aborts the signal with the reason', async () => {
    let signal!: AbortSignal
    const { runner } = setUpRunner((_, context) => {
      signal = (context as Context).signal
      return new Promise(() => {})
    })
    const chunk = chunkOfValues(['a'])
    runner.run([chunk])
    runner.cancel([chunk.id], 'item 3 failed')
    expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'item 3 failed' })
  })

  test('reports nothing for a chunk that the worker does not have', () => {
    const { runner, cancelled } = setUpRunner(() => {})
    runner.cancel([99_999])
    expect(cancelled).toEqual([])
  })
})

describe('expire', () => {
  /** An item that ends when it is told to. */
  function running(timeoutMs: number) {
    let context!: Context
    let end!: () => void
    const world = setUpRunner((_, given) => {
      context = given as Context
      return new Promise<string>((resolve) => {
        end = () => resolve('late')
      })
    })
    const chunk = { ...chunkOfValues(['a', 'b']), timeoutMs }
    world.runner.run([chunk])
    return { ...world, chunk, context: () => context, end: () => end() }
  }

  test('aborts the signal of the running item with a TimeoutError; it fails whatever it returns', async () => {
    const { runner, chunk, context, end, sent } = running(500)
    const { signal } = context()
    expect(runner.expire(chunk.id, 0)).toBe(true)
    expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'the item exceeded 500 ms' })
    end()
    await turn()
    runner.returnUnstarted()
    const failure = { kind: 'timeout', timeoutMs: 500, ended: 'stopped' }
    expect(sent.flat().flatMap(({ failures }) => failures)).toEqual([{ offset: 0, failure }])
  })

  test('says that an item does not listen if it has never read its signal', () => {
    const { runner, chunk } = running(500)
    expect(runner.expire(chunk.id, 0)).toBe(false)
  })

  test('does nothing to an item that has settled, or is not there', async () => {
    const { runner, chunk, end, context } = running(60_000)
    end()
    await turn()
    expect(runner.expire(chunk.id, 0)).toBeUndefined()
    expect(runner.expire(99_999, 0)).toBeUndefined()
    expect(context().signal.aborted).toBe(false)
  })
})

describe('abortAll', () => {
  test('returns whether something listens to its signal and should be given time', async () => {
    const { runner } = setUpRunner(
      (item, context) => {
        if (item === 'listens') void (context as Context).signal
        return new Promise(() => {})
      },
      { concurrency: 2 },
    )
    expect(runner.abortAll('why')).toBe(false)
    runner.run([chunkOfValues(['does not listen'])])
    await turn()
    expect(runner.abortAll('why')).toBe(false)
    runner.run([chunkOfValues(['listens'])])
    await turn()
    expect(runner.abortAll('why')).toBe(true)
  })

  test('aborts the signals with the reason', () => {
    let signal!: AbortSignal
    const { runner } = setUpRunner((_, context) => {
      signal = (context as Context).signal
      return new Promise(() => {})
    })
    runner.run([chunkOfValues(['a'])])
    runner.abortAll('the pool was terminated')
    expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'the pool was terminated' })
  })

  test('starts nothing that was queued', async () => {
    const started: unknown[] = []
    const { runner } = setUpRunner((item, context) => {
      started.push(item)
      return new Promise((resolve) => (context as Context).signal.addEventListener('abort', resolve))
    })
    runner.run([chunkOfValues(['a']), chunkOfValues(['b'])])
    await turn()
    runner.abortAll('why')
    await runner.idle()
    expect(started).toEqual(['a'])
  })
})

describe('an item that the parent may have judged late', () => {
  test('lets no other item start, though it ended in time: everything else is returned', async () => {
    const clock = new FakeClock()
    // By the recorder's clock the outcome is written too late; by the runner's the item took no time.
    let now = 0
    const started: unknown[] = []
    const { runner, sent, returned } = setUpRunner(
      (item) => {
        started.push(item)
        if (item === 'slow') now = 200
      },
      { clock, recorder: recorderOf(() => now).recorder },
    )
    const options = { recordEachItem: true, timeoutMs: 200 }
    const first = chunkOfValues(['quick', 'slow', 'next'], options)
    const second = chunkOfValues(['last'], options)
    runner.run([first, second])
    await runner.idle()
    expect(started).toEqual(['quick', 'slow'])
    expect(outcomesOf(sent, first.id)).toHaveLength(2)
    expect(returned).toEqual([{ kept: { [first.id]: 2, [second.id]: 0 }, waits: false }])
  })

  test('lets no other item start where it took its whole time limit', async () => {
    const clock = new FakeClock()
    const { runner, sent, returned } = setUpRunner((ms) => clock.spend(ms as number), {
      clock,
      recorder: recorderOf(() => 0).recorder,
    })
    const chunk = chunkOfValues([1, 200, 1], { recordEachItem: true, timeoutMs: 200 })
    runner.run([chunk])
    await runner.idle()
    expect(outcomesOf(sent, chunk.id)).toHaveLength(2)
    expect(returned).toEqual([{ kept: { [chunk.id]: 2 }, waits: false }])
  })
})

describe('the marker of output', () => {
  test('is written as each item starts, and last of all that none runs any more', async () => {
    const marks: unknown[] = []
    const { runAll } = setUpRunner((item) => marks.push(`item ${item}`), {
      onStartItem: (index) => marks.push(index),
    })
    await runAll(chunkOfValues(['a', 'b'], { index: 8 }))
    expect(marks.slice(0, 4)).toEqual([8, 'item a', 9, 'item b'])
    expect(new Set(marks.slice(4))).toEqual(new Set(['none']))
  })
})

test('idle resolves immediately where nothing runs', async () => {
  await expect(setUpRunner(() => {}).runner.idle()).resolves.toBeUndefined()
})
