// What is wrong in the files that load with a job: what does not compile, and imports that lead nowhere.
import path from 'node:path'
import type { Message } from 'esbuild'
import { unwrapped } from '../expression.js'
import type { Request } from './compile-source.js'
import { messageAt } from './locate.js'
import type { Node } from './nodes.js'
import { packageName } from './packages.js'
import { foldersAbove, type Probe } from './probe.js'

/** By file. The messages are what kept a file from compiling. */
export type Outcomes = ReadonlyMap<string, Node | readonly Message[]>

interface Entry {
  readonly file: string
  readonly expression?: string
}

/**
 * Follows only what loads before the job runs. What the job asks for at run time may be missing or broken: it can catch
 * the error. `nodeDecides`: Node may find what is missing here.
 */
export function errorsIn(
  outcomes: Outcomes,
  entry: Entry,
  { probe, nodeDecides }: { readonly probe: Probe; readonly nodeDecides: boolean },
): Message[] {
  const errors: Message[] = []
  const seen = new Set<string>()
  const check = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const node = outcomes.get(file)
    if (node === undefined) return
    if (!('compiled' in node)) return void errors.push(...node)
    for (const [request, target] of node.targets) {
      if (!request.isStatic) continue
      if (target.kind === 'file') check(target.file)
      else if (target.kind === 'missing' && node.compiled.isCompiled && !nodeDecides) {
        const message = unresolved(request, file, node, probe)
        const isExpression = entry.expression !== undefined && file === entry.file
        errors.push(isExpression ? unwrapped(message, entry.expression) : message)
      }
    }
  }
  check(entry.file)
  return errors
}

function unresolved(
  { specifier, start }: Request,
  file: string,
  { source, compiled }: Node,
  probe: Probe,
): Message {
  const text = `Could not resolve "${specifier}"${hintFor(specifier!, file, probe)}`
  // The location is that of the quote.
  return messageAt(text, file, source.text, compiled.located, start - 1)
}

function hintFor(specifier: string, file: string, probe: Probe): string {
  if (/^[./]|^file:/.test(specifier)) {
    const target = specifier.startsWith('file:') ? specifier : path.resolve(path.dirname(file), specifier)
    return probe.isFolder(target) ? ': it is a folder without an index file' : ''
  }
  if (specifier.startsWith('#')) return ': no "imports" of the nearest package.json has it'
  const name = packageName(specifier)
  for (const folder of foldersAbove(file)) {
    if (probe.isFolder(path.join(folder, 'node_modules', name)))
      return `: the package in ${path.join(folder, 'node_modules', name)} has no such file or export`
  }
  return `: the package is not installed (looked in node_modules of ${path.dirname(file)} and of the folders above it); npm install ${name}`
}
