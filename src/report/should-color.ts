// Whether a stream gets colour. Reads nothing but what it is given.

interface ColorRequest {
  /** `--color`, `--no-color` or neither. */
  readonly flag: boolean | undefined
  readonly env: NodeJS.ProcessEnv
}

/** The flag, over NO_COLOR, over FORCE_COLOR, over what the stream is: the first that has an opinion. */
export function shouldColor(
  stream: { readonly isTTY?: boolean | undefined },
  { flag, env }: ColorRequest,
): boolean {
  if (flag !== undefined) return flag
  if (env.NO_COLOR) return false
  // Set and empty is on, and `false` is off, for Node itself and for chalk's own detection.
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR)
  return stream.isTTY === true && env.TERM !== 'dumb'
}
