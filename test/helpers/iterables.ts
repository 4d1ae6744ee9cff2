// Iterables for tests, and helpers that read them.

export const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** 0, 1, 2 … endlessly. Counts the items taken and the calls of `return`. */
export function endless() {
  const source = {
    taken: 0,
    returned: 0,
    [Symbol.iterator]() {
      return {
        next: () => ({ done: false as const, value: source.taken++ }),
        return: () => {
          source.returned++
          return { done: true as const, value: undefined }
        },
      }
    },
  }
  return source
}

/** An asynchronous iterable whose items the test pushes. Counts the calls of `next` and `return`. */
export function feed<T>() {
  const values: T[] = []
  let ended = false
  let wake = () => {}
  const source = {
    nextCalls: 0,
    returned: 0,
    push(...more: T[]) {
      values.push(...more)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    [Symbol.asyncIterator]() {
      return {
        async next(): Promise<IteratorResult<T, undefined>> {
          source.nextCalls++
          while (values.length === 0 && !ended)
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          return values.length > 0
            ? { done: false, value: values.shift()! }
            : { done: true, value: undefined }
        },
        async return() {
          source.returned++
          return { done: true as const, value: undefined }
        },
      }
    },
  }
  return source
}

/** All values of an iterable. */
export const collected = async <T>(iterable: AsyncIterable<T>): Promise<T[]> => {
  const values: T[] = []
  for await (const value of iterable) values.push(value)
  return values
}

/** Reads an iterator past its failures: values, and the messages of errors. */
export async function readAll<T>(iterator: AsyncIterator<T>): Promise<(T | string)[]> {
  const read: (T | string)[] = []
  for (;;) {
    try {
      const { done, value } = await iterator.next()
      if (done) return read
      read.push(value)
    } catch (error) {
      read.push(error instanceof Error ? error.message : String(error))
    }
  }
}
