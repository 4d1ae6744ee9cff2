// The reader of an output went away. That is not an error of the job or of poolrun: the run stops without a traceback,
// and its exit code says why.
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError'
  constructor(cause: unknown) {
    super('the reader of the output went away', { cause })
  }
}
