// The reader of an output went away. No fault of anybody's: the run stops and its exit code says so, without a trace.
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError'
  constructor(cause: unknown) {
    super('the reader of the output went away', { cause })
  }
}
