// What a path of the user's leads to: one of this process's own streams, or the place of a file.
import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const STANDARD_STREAM =
  /^\/(?:dev\/std(?<name>in|out|err)|dev\/fd\/(?<dev>[0-2])|proc\/self\/fd\/(?<proc>[0-2]))$/

/** The descriptor of the standard stream that the path names: opened anew, it would have a position of its own. */
export function standardStream(path: string): number | undefined {
  const { name, dev, proc } = STANDARD_STREAM.exec(path)?.groups ?? {}
  if (name !== undefined) return ['in', 'out', 'err'].indexOf(name)
  const fd = dev ?? proc
  return fd === undefined ? undefined : Number(fd)
}

/** Links made by the kernel, as `/dev/stdout`: they may lead to a file that others have open. */
export function isSpecial(path: string): boolean {
  return /^\/(dev\/(fd|stdin|stdout|stderr)|proc)(\/|$)/.test(path)
}

/** Linux gives up after this many links. */
const MAX_LINKS = 40

/**
 * Where the file is, or would be created: links are followed, also one to a file that does not exist yet. A loop of links
 * leads to one of them.
 */
export function targetOf(path: string): string {
  let target = path
  try {
    for (let links = 0; links < MAX_LINKS && !isSpecial(target) && isLink(target); links++)
      target = resolve(realpathSync(dirname(target)), readlinkSync(target))
    return isSpecial(target) ? target : join(realpathSync(dirname(target)), basename(target))
  } catch {
    // The folder does not exist.
    return target
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

/** Where `--keep-partial` keeps what was written of an output that stays as it was. */
export function partialPath(output: string): string {
  return `${output}.partial`
}
