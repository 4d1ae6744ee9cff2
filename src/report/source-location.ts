// Where in the job's own sources an item failed.
import { isAbsolute, relative, sep } from 'node:path'
import { type FrameOptions, parseFrames } from '../errors/render/frames.js'
import { framesAfterHeader } from '../errors/stacks.js'
import type { Failure } from '../model.js'

export interface SourceLocation {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Relative to the first of these folders that contains it, absolute otherwise. */
export function relativePath(file: string, folders: readonly (string | undefined)[]): string {
  for (const folder of folders) {
    const path = folder === undefined || folder === '' ? '' : relative(folder, file)
    if (path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)) return path
  }
  return file
}

/** `file:line`, relative to the working directory. */
export function placeText({ file, line }: SourceLocation, cwd: string | undefined): string {
  return `${relativePath(file, [cwd])}:${line}`
}

/** The first frame of the job's own code, mapped to its source; `undefined` if there is none. */
export function sourceLocationOf(failure: Failure, options: FrameOptions = {}): SourceLocation | undefined {
  const frames = framesOf(failure)
  if (frames === undefined) return undefined
  return parseFrames(frames, options).find(({ location }) => location !== undefined)?.location
}

/** Of the error that made the item fail, or of what ended its worker; `undefined` where there are none. */
export function framesOf(failure: Failure): string | undefined {
  switch (failure.kind) {
    case 'error':
      return failure.error.type === 'error' ? failure.error.frames : undefined
    case 'crash':
    case 'oom':
      if (failure.exitSite !== undefined) return framesAfterHeader(`\n${failure.exitSite}`)
      return failure.escaped?.type === 'error' ? failure.escaped.frames : undefined
    case 'timeout':
    case 'input':
    case 'validation':
    case 'encoding':
      return undefined
    default:
      return failure satisfies never
  }
}
