// Whether a stream gets colour.

interface ColorRequest {
  /** `--color`, `--no-color` or neither. */
  readonly flag: boolean | undefined
  readonly env: NodeJS.ProcessEnv
}

/** In order of precedence: the flag, NO_COLOR, FORCE_COLOR, whether the stream is a terminal. */
export function shouldColor(
  stream: { readonly isTTY?: boolean | undefined },
  { flag, env }: ColorRequest,
): boolean {
  if (flag !== undefined) return flag
  if (env.NO_COLOR) return false
  // As in Node and in chalk: an empty value means on, `false` means off.
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR)
  return stream.isTTY === true && env.TERM !== 'dumb'
}
