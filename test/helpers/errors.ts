// The error that a promise or a function is expected to fail with.

/** What a promise rejects with. Throws if it does not reject. */
export async function errorOf<E = Error>(promise: PromiseLike<unknown>): Promise<E> {
  try {
    await promise
  } catch (error) {
    return error as E
  }
  throw new Error('it was expected to reject')
}

/** What a function throws. Throws if it does not. */
export function thrownBy<E = Error>(call: () => unknown): E {
  try {
    call()
  } catch (error) {
    return error as E
  }
  throw new Error('it was expected to throw')
}
